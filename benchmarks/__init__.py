"""What autotrack costs and how far its findings can be trusted."""
