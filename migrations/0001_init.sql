-- The first schema. Every table that belongs to a team carries `team_id`, so that each read can begin with it.

create table users (
    id uuid primary key,
    email text not null,
    name text not null,
    password_hash text not null,
    is_admin boolean not null default false,
    created_at timestamptz not null default now(),
    constraint users_email_key unique (email)
);

create table teams (
    id uuid primary key,
    slug text not null,
    name text not null,
    created_at timestamptz not null default now(),
    constraint teams_slug_key unique (slug)
);

create table members (
    team_id uuid not null references teams on delete cascade,
    user_id uuid not null references users on delete cascade,
    role text not null check (role in ('owner', 'admin', 'developer', 'viewer')),
    created_at timestamptz not null default now(),
    primary key (team_id, user_id)
);
create index members_user on members (user_id);

create table sessions (
    -- SHA-256 of the cookie's value, as hexadecimal digits: a copy of the database opens no session.
    id text primary key,
    data jsonb not null,
    expires_at timestamptz not null
);
create index sessions_expiry on sessions (expires_at);
-- A changed password ends the sessions of its account.
create index sessions_user on sessions ((data ->> 'user'));

create table refresh_tokens (
    id uuid primary key,
    user_id uuid not null references users on delete cascade,
    family uuid not null,
    token_hash bytea not null unique,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz,
    revoked_at timestamptz
);
create index refresh_tokens_family on refresh_tokens (family);
create index refresh_tokens_user on refresh_tokens (user_id);

-- Facts about this installation: its id, signing keys (sealed), the one-time set-up token's hash.
create table settings (
    key text primary key,
    value jsonb not null,
    updated_at timestamptz not null default now()
);

create table sites (
    id uuid primary key,
    team_id uuid not null references teams,
    slug text not null,
    name text not null,
    source jsonb not null,
    -- Sealed with the master key; the row's id is the associated data.
    webhook_secret bytea not null,
    repository_token bytea,
    deployment_count bigint not null default 0,
    created_at timestamptz not null default now(),
    deleting_at timestamptz,
    delete_data boolean,
    constraint sites_slug_key unique (slug)
);
create index sites_team on sites (team_id, created_at desc);

create table environments (
    id uuid primary key,
    team_id uuid not null references teams,
    site_id uuid not null references sites on delete cascade,
    name text not null,
    branch text not null,
    -- Offset of its subnet in the pool: 0 is the first /27.
    subnet_index integer not null,
    secrets bytea not null,
    current_release uuid,
    created_at timestamptz not null default now(),
    constraint environments_name_key unique (site_id, name),
    constraint environments_subnet_key unique (subnet_index)
);
create index environments_team on environments (team_id);

create table deployments (
    id uuid primary key,
    team_id uuid not null references teams,
    site_id uuid not null references sites on delete cascade,
    environment_id uuid not null references environments on delete cascade,
    number bigint not null,
    status text not null default 'queued',
    trigger text not null,
    triggered_by uuid references users on delete set null,
    branch text,
    commit_sha text,
    commit_message text,
    commit_author text,
    -- Set for a rollback: the release to apply again.
    from_release uuid,
    error_code text,
    error_step text,
    error_service text,
    error_message text,
    -- Each take-over by a worker raises it; a worker that lost its lease can no longer write.
    attempt integer not null default 0,
    worker uuid,
    lease_until timestamptz,
    cancel_requested_at timestamptz,
    -- A retry after a transient failure waits until then.
    not_before timestamptz,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    log_lines bigint not null default 0,
    constraint deployments_number_key unique (site_id, number)
);
create index deployments_site on deployments (team_id, site_id, number desc);
create index deployments_open on deployments (created_at)
    where status not in ('live', 'failed', 'cancelled', 'superseded');
create index deployments_environment on deployments (environment_id, number desc);

create table deployment_steps (
    deployment_id uuid not null references deployments on delete cascade,
    name text not null,
    status text not null,
    started_at timestamptz,
    finished_at timestamptz,
    primary key (deployment_id, name)
);

create table deployment_logs (
    deployment_id uuid not null references deployments on delete cascade,
    seq bigint not null,
    at timestamptz not null,
    stream text not null,
    text text not null,
    primary key (deployment_id, seq)
);

create table releases (
    id uuid primary key,
    team_id uuid not null references teams,
    environment_id uuid not null references environments on delete cascade,
    deployment_id uuid not null references deployments on delete cascade,
    plan jsonb not null,
    created_at timestamptz not null default now()
);
create index releases_environment on releases (environment_id, created_at desc);
alter table environments
    add constraint environments_current_release_fkey foreign key (current_release) references releases on delete set null;

create table deliveries (
    id uuid primary key,
    team_id uuid not null references teams,
    site_id uuid not null references sites on delete cascade,
    provider text not null,
    -- The forge's own id of the delivery: a redelivery is a no-op.
    delivery_key text not null,
    event text not null,
    headers jsonb not null,
    body bytea not null,
    outcome text not null,
    reason text not null,
    deployment_id uuid references deployments on delete set null,
    received_at timestamptz not null default now(),
    constraint deliveries_key unique (site_id, provider, delivery_key)
);
create index deliveries_site on deliveries (team_id, site_id, received_at desc);

-- Outbox: what is announced live. NOTIFY carries the id only.
create table events (
    id bigint generated always as identity primary key,
    team_id uuid not null references teams on delete cascade,
    payload jsonb not null,
    at timestamptz not null default now()
);
create index events_at on events (at);

-- At most one deployment of an environment is worked on at a time, whatever the workers believe.
create unique index deployments_one_running on deployments (environment_id)
    where status in ('fetching', 'building', 'starting', 'verifying', 'switching');
create index deployments_queue on deployments (team_id, status)
    where status in ('queued', 'fetching', 'building', 'starting', 'verifying', 'switching');
