"""The demonstration: one mail's whole way, on real servers, told as it happens."""
