"""The demonstration: one mail's whole way, and a Case's, on real servers, told as it happens."""
