DROP TABLE limits, messages, pending_keys, members, conversations, chat_codes, invites, sessions, users;
DROP FUNCTION message_uuid, place_in_log, forget_log, ring_for_messages, ring_for_ended_sessions;
