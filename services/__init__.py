"""The services. None imports another: they talk over the topics of `shared/topics.py`."""
