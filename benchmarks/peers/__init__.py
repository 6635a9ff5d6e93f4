"""The authorizers that ours is compared with."""
