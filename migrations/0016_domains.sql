-- Domains of an environment beside its own host. Whoever likes may claim a name; it leads to the environment of the one
-- that proved to hold it.
create table domains (
    id uuid primary key,
    team_id uuid not null references teams,
    site_id uuid not null references sites on delete cascade,
    environment_id uuid not null references environments on delete cascade,
    -- In ASCII, lower case.
    host text not null,
    -- What the TXT record has to say; published by whoever claims it, so it is no secret.
    token text not null,
    -- Services are told this one, and it is the one that is shown.
    is_primary boolean not null default false,
    verified_at timestamptz,
    -- The last look at the record: when, what was found in one word, and what to do about it.
    checked_at timestamptz,
    finding text,
    problem text,
    -- Looks in a row that did not find the record.
    failures integer not null default 0,
    next_check_at timestamptz not null default now(),
    created_at timestamptz not null default now(),
    constraint domains_host_key unique (site_id, host)
);
-- However many claim it, one holds it.
create unique index domains_verified_key on domains (host) where verified_at is not null;
create unique index domains_primary_key on domains (environment_id) where is_primary;
create index domains_environment on domains (environment_id);
create index domains_team on domains (team_id);
create index domains_due on domains (next_check_at);
