"""The doors over HTTP: keys before bodies, problems as answers, and the port of those who run a process."""
