"""What the authorizer is measured against."""
