-- The GitHub App: where customers have installed it, and the sites that come through it.
create table github_installations (
    team_id uuid not null references teams on delete cascade,
    -- GitHub's number. Several teams may have connected one.
    installation_id bigint not null,
    -- The user or organization on GitHub.
    account text not null,
    -- GitHub's numbers of the repositories that whoever connected it may see; the installation may reach more.
    repositories bigint[] not null,
    connected_by uuid references users on delete set null,
    connected_at timestamptz not null default now(),
    suspended_at timestamptz,
    primary key (team_id, installation_id)
);
create index github_installations_id on github_installations (installation_id);

-- GitHub's number of the deployment that its statuses belong to.
alter table forge_reports add column github_deployment bigint;

-- The one comment on each pull request, which is edited from then on.
create table github_comments (
    site_id uuid not null references sites on delete cascade,
    team_id uuid not null references teams on delete cascade,
    pull bigint not null,
    comment_id bigint not null,
    primary key (site_id, pull)
);
