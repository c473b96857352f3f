"""The real servers on one machine, without containers, root or an installed Java (design §8)."""
