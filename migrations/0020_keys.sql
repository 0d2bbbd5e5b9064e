-- The keys that sign access tokens. One signs from its time on until the next one's; after that it still verifies until
-- what it signed has expired, and is removed. The private half is sealed; the row's id is the associated data.
create table signing_keys (
    -- The public half's thumbprint (RFC 7638), which tokens name as `kid`.
    id text primary key,
    -- The seed of an Ed25519 key, sealed with the master key.
    private_key bytea not null,
    signs_from timestamptz not null,
    created_at timestamptz not null default now()
);

-- The audit is paged through newest first, by what it is filtered by.
create index audit_entries_action on audit_entries (action text_pattern_ops, id desc);
create index audit_entries_target on audit_entries (target_id, id desc);
create index audit_entries_target_name on audit_entries (target_name, id desc);
create index audit_entries_actor_name on audit_entries (actor_name, id desc);
