-- Pushes to repositories that are kept here, from before Git begins until their deployments are queued: Git moves a
-- branch before the database hears of it, and what stands here is made up for after an end in between.
create table pushes_under_way (
    id uuid primary key,
    team_id uuid not null references teams,
    site_id uuid not null references sites on delete cascade,
    user_id uuid references users on delete set null,
    -- Where the branches that are deployed stood before; null for one that was not there.
    tips jsonb not null,
    started_at timestamptz not null default now(),
    -- The process that is at work on it says so every minute.
    seen_at timestamptz not null default now()
);
create index pushes_under_way_site on pushes_under_way (site_id);
