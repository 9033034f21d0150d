"""What a detector, a coil or a dose adds."""
