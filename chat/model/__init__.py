"""The values of the domain, by noun: typed and frozen."""
