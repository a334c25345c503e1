-- Since user names came to WhatsApp, a message carries its sender's business-scoped id beside the number or instead of it.
ALTER TABLE reply ADD COLUMN sender_user_id text; -- for staff alone, as the sender

-- Which number such an id belongs to, both as keys: from reports of our own messages, and messages that carry both.
CREATE TABLE whatsapp_user (
    user_key    bytea NOT NULL,
    address_key bytea NOT NULL,
    linked_at   timestamptz NOT NULL, -- domain time
    PRIMARY KEY (user_key, address_key)
);
