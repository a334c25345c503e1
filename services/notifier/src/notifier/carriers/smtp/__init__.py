"""Email by SMTP, and returned mails."""
