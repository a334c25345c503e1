"""The ways out: email by SMTP, SMS in Twilio's shape, WhatsApp in Meta's."""
