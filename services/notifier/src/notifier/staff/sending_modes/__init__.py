"""What may leave, for the installation and each clinic: switched by command and audited."""
