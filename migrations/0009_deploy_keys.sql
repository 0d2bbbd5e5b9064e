-- Keys that open repositories over SSH. A key is made for an address first, so that its public half can be added at the
-- forge; it becomes a site's once the repository was reached with it.
create table deploy_keys (
    id uuid primary key,
    team_id uuid not null references teams on delete cascade,
    -- The site that uses it; null: none yet.
    site_id uuid references sites on delete cascade,
    -- The repository's address.
    url text not null,
    public_key text not null,
    -- Sealed with the master key; the row's id is the associated data.
    private_key bytea not null,
    -- The one key that the repository's server may show.
    host_key text not null,
    created_at timestamptz not null default now()
);
create unique index deploy_keys_site on deploy_keys (site_id) where site_id is not null;
create unique index deploy_keys_unused on deploy_keys (team_id, url) where site_id is null;
