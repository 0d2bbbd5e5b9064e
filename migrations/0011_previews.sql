-- Previews: pull and merge requests that the forges told of, each with an environment of its own while it is open.
alter table sites
    add column previews_enabled boolean not null default false,
    -- At most so many at a time.
    add column previews_max integer not null default 5,
    -- One of which nothing was heard for so many days goes.
    add column previews_idle_days integer not null default 7;

-- Made for a pull request: it takes no pushes to a branch, and nobody sets its branch or its variables.
alter table environments add column is_preview boolean not null default false;

create table pull_requests (
    site_id uuid not null references sites on delete cascade,
    -- The forge's own.
    number bigint not null,
    team_id uuid not null references teams,
    -- The forge that told of it.
    provider text not null,
    title text not null,
    author text,
    source_branch text not null,
    target_branch text not null,
    -- It comes from another repository: whoever wrote it may not be trusted.
    from_fork boolean not null,
    -- Its newest commit; null where the forge does not tell.
    head text,
    state text not null,
    -- When it was changed last by the forge's own clock; null where the forge does not tell.
    changed_at timestamptz,
    -- The one commit of a fork that a member let be built, who, and when.
    approved_commit text,
    approved_by uuid references users on delete set null,
    approved_at timestamptz,
    -- Its preview, if there is one.
    environment_id uuid references environments on delete set null,
    created_at timestamptz not null default now(),
    -- When something was last heard of it that concerns its preview.
    active_at timestamptz not null default now(),
    primary key (site_id, number)
);
create index pull_requests_environment on pull_requests (environment_id);
create index pull_requests_active on pull_requests (active_at) where state in ('active', 'approval', 'waiting');

-- The variables that a site's previews are given, sealed with the master key; site and version are the associated data.
-- A preview's environment gets a copy when a deployment begins, so only the newest is kept here.
create table preview_variables (
    site_id uuid primary key references sites on delete cascade,
    team_id uuid not null references teams,
    version bigint not null,
    sealed bytea not null,
    set_by uuid references users on delete set null,
    set_at timestamptz not null default now()
);
