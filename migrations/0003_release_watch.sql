-- What was seen of a release in the first while after its switch: answers that the proxy counted, and what came of it.
create table release_watches (
    deployment_id uuid primary key references deployments on delete cascade,
    team_id uuid not null references teams,
    environment_id uuid not null references environments on delete cascade,
    -- What served before, and would again.
    previous_release uuid references releases on delete set null,
    -- What the proxy had counted for the environment's services right before the switch.
    baseline jsonb not null,
    began_at timestamptz not null default now(),
    until timestamptz not null,
    -- Requests that got no answer of the site while the old release gave way to the new one.
    failed_requests bigint not null default 0,
    -- `well`, `unwell`, `rolled_back` or `replaced`; null while it is watched.
    verdict text,
    reason text,
    ended_at timestamptz
);
create index release_watches_open on release_watches (began_at) where ended_at is null;

-- Why a deployment was begun by the platform itself.
alter table deployments add column reason text;
