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

alter table sites
    -- GitHub's numbers; the token is minted when it is needed and kept nowhere.
    add column github_installation bigint,
    add column github_repository bigint;
create index sites_github on sites (github_repository) where github_repository is not null;

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

-- As before, and for sites that come through the App.
create or replace function report_deployment() returns trigger language plpgsql as $$
declare
    told text := case
        when new.status in ('fetching', 'building', 'starting', 'verifying', 'switching') then 'running'
        else new.status
    end;
begin
    insert into forge_reports (deployment_id, team_id, site_id, state)
        select new.id, new.team_id, new.site_id, told from sites
        where id = new.site_id and deleting_at is null
          and (repository_token is not null or github_installation is not null)
    on conflict (deployment_id) do update
        set state = excluded.state, change = forge_reports.change + 1, due_at = now(), attempts = 0
        where forge_reports.state <> excluded.state;
    if found then
        perform pg_notify('webmeteor_reports', '');
    end if;
    return null;
end
$$;
