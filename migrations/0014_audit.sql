-- Who did what to what, when, from where, with which token. An entry outlives all that it names, so it names them itself.
create table audit_entries (
    id uuid primary key,
    -- The team whose affair it is; null: the platform's, or an account's own.
    team_id uuid,
    -- Null: the platform itself.
    actor_id uuid,
    actor_name text not null,
    -- `site.create`, `member.change`, …
    action text not null,
    target_kind text not null,
    target_id text not null,
    target_name text not null,
    -- What changed, where it is no secret.
    before jsonb,
    after jsonb,
    address inet,
    token_id uuid,
    at timestamptz not null default now()
);
create index audit_entries_team on audit_entries (team_id, id desc);
create index audit_entries_actor on audit_entries (actor_id, id desc);

-- It is only ever added to.
create function refuse_audit_change() returns trigger language plpgsql as $$
begin
    raise exception 'the audit is only added to';
end
$$;
create trigger audit_entries_stand before update or delete or truncate on audit_entries
    for each statement execute function refuse_audit_change();
