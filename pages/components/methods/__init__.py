"""The choice of methods, of their weights and of score variants."""
