"""What the clinic's staff ask and decide: work list, sending modes, contacts, preferences."""
