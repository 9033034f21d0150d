"""What goes wrong while MR samples its k-space."""
