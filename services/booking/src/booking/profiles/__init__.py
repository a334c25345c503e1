"""What each source means by what it sends: its profile, one document a source, versioned and hot."""
