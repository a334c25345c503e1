"""The notifier's stories: the only place that awaits on both sides."""
