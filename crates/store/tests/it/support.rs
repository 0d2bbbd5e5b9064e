//! A team with a site and an environment to work on.

use model::{
    DeploymentId, EnvironmentId, ReleaseId, SiteId, TeamId,
    deployment::{Status, Trigger},
    names::{BranchName, RepoUrl},
    plan::{NetworkPlan, ReleasePlan},
    site::Source,
};
use sqlx::{Connection, PgConnection};
use std::{collections::BTreeMap, net::Ipv4Addr};
use store::{deployments, environments, queue, releases, sites, teams};
use uuid::Uuid;

pub const LEASE: f64 = 30.0;
pub const SUBNETS: i32 = 32_768;

pub struct World {
    pub team: TeamId,
    pub site: SiteId,
    pub environment: EnvironmentId,
}

pub async fn team(conn: &mut PgConnection, slug: &str) -> TeamId {
    teams::insert(conn, slug, slug).await.unwrap().unwrap().id
}

pub fn git(url: &str) -> Source {
    Source::Git { url: RepoUrl::parse(url).unwrap(), branch: BranchName::parse("main").unwrap() }
}

pub async fn site(conn: &mut PgConnection, team: TeamId, slug: &str, source: &Source) -> SiteId {
    let id = SiteId::new();
    let new = sites::NewSite { id, team, slug, name: slug, source, webhook_secret: b"sealed", repository_token: None };
    sites::insert(conn, &new).await.unwrap();
    id
}

/// A site with its production environment, of a team of its own or of this one.
pub async fn world(conn: &mut PgConnection, team: TeamId, slug: &str) -> World {
    let site = site(conn, team, slug, &Source::Template("static".into())).await;
    let environment = environment(conn, team, site, "production").await.unwrap();
    World { team, site, environment }
}

pub async fn environment(conn: &mut PgConnection, team: TeamId, site: SiteId, name: &str) -> Option<EnvironmentId> {
    let mut tx = conn.begin().await.unwrap();
    let id = EnvironmentId::new();
    let host = format!("{}-{name}", id.short());
    let new = environments::NewEnvironment {
        id,
        team,
        site,
        name,
        host: &host,
        branch: "main",
        root: "",
        watch: &[],
        secrets: b"sealed",
    };
    let made = environments::insert(&mut tx, &new, SUBNETS).await.unwrap();
    tx.commit().await.unwrap();
    made.then_some(id)
}

pub async fn deploy(conn: &mut PgConnection, world: &World) -> DeploymentId {
    let id = DeploymentId::new();
    let new = deployments::NewDeployment {
        id,
        team: world.team,
        site: world.site,
        environment: world.environment,
        trigger: Trigger::Manual,
        triggered_by: None,
        branch: Some("main"),
        commit: None,
        message: None,
        author: None,
        from_release: None,
        variables_version: None,
        reason: None,
    };
    deployments::insert(conn, &new).await.unwrap();
    id
}

pub async fn claim(conn: &mut PgConnection) -> Option<queue::Lease> {
    queue::claim(conn, Uuid::now_v7(), LEASE, None).await.unwrap().map(|(lease, _)| lease)
}

pub async fn status(conn: &mut PgConnection, world: &World, id: DeploymentId) -> Status {
    deployments::by_id(conn, &[world.team], id).await.unwrap().unwrap().status()
}

/// Takes a deployment all the way.
pub async fn go_live(conn: &mut PgConnection, lease: queue::Lease) {
    for way in
        [Status::Fetching, Status::Building, Status::Starting, Status::Verifying, Status::Switching, Status::Live]
            .windows(2)
    {
        queue::advance(conn, lease, way[0], way[1]).await.unwrap();
    }
}

/// The lease has run out: its worker is gone.
pub async fn expire(conn: &mut PgConnection, id: DeploymentId) {
    sqlx::query("update deployments set lease_until = now() - interval '1 second' where id = $1")
        .bind(id)
        .execute(conn)
        .await
        .unwrap();
}

/// What a deployment leaves that went live; serves from now on.
pub async fn release(conn: &mut PgConnection, world: &World, deployment: DeploymentId) -> (ReleaseId, ReleasePlan) {
    let plan = ReleasePlan {
        team: world.team,
        site: world.site,
        environment: world.environment,
        deployment,
        project: "acme-shop".into(),
        hosts: vec!["shop.localhost".into()],
        domain: None,
        network: NetworkPlan { name: "acme-shop-network".into(), base: Ipv4Addr::new(10, 64, 0, 0), prefix: 27 },
        containers: vec![],
        volumes: BTreeMap::new(),
    };
    let id = ReleaseId::new();
    releases::insert(conn, world.team, id, world.environment, deployment, &plan, 0).await.unwrap();
    environments::set_current(conn, world.team, world.environment, id).await.unwrap();
    (id, plan)
}
