//! Reads all that the comparison needs: one list of each kind, however many environments there are.

use super::diff::{Found, Wanted};
use crate::{Platform, Result, labels, machine, proxy_container};
use anyhow::Context;
use std::path::Path;
use time::OffsetDateTime;

/// What should be, and what is there. What is there is read first: what a deployment makes meanwhile is not in it.
pub(super) async fn everything(platform: &Platform) -> Result<(Wanted, Found)> {
    let found = found(platform).await?;
    Ok((wanted(platform).await?, found))
}

async fn found(platform: &Platform) -> Result<Found> {
    let ours = labels::of_instance(platform);
    let engine = &platform.engine;
    let (containers, networks, images) =
        tokio::try_join!(machine::containers(platform, &ours), engine.list_networks(&ours), engine.list_images(&ours))?;
    let routes = platform.proxy.read().await?;
    let folder = platform.checkouts();
    let checkouts = tokio::task::spawn_blocking(move || names(&folder)).await.context("listing checkouts")??;
    Ok(Found { containers, networks, images, routes, checkouts })
}

fn names(folder: &Path) -> anyhow::Result<Vec<String>> {
    let entries = match folder.read_dir() {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        entries => entries.with_context(|| format!("reading {}", folder.display()))?,
    };
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
}

async fn wanted(platform: &Platform) -> Result<Wanted> {
    let mut tx = platform.pool.begin_with("begin isolation level repeatable read, read only").await?;
    let wanted = Wanted {
        environments: store::reconcile::environments(&mut tx).await?,
        open: store::reconcile::open_deployments(&mut tx).await?.into_iter().collect(),
        draining: store::reconcile::draining(&mut tx).await?,
        releases: store::reconcile::releases(&mut tx, platform.settings.kept_releases).await?,
        proxy: proxy_container::name(&platform.settings.instance),
        proxy_settings: proxy_container::settings(platform),
        drain: platform.settings.drain,
        now: OffsetDateTime::now_utc(),
    };
    tx.commit().await?;
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use crate::{Platform, Signup, plan, reconcile, testing};
    use docker::fake::FakeRuntime;
    use model::{
        DeploymentId, EnvironmentId, ReleaseId, SiteId, TeamId,
        deployment::Trigger,
        plan::{NetworkPlan, ReleasePlan},
        site::Source,
    };
    use sqlx::PgPool;
    use std::{
        collections::BTreeMap,
        ops::Range,
        sync::Arc,
        time::{Duration, Instant},
    };

    const FEW: u32 = 10;
    const MANY: u32 = 500;

    /// Environments that are live, in the database alone.
    async fn fill(pool: &PgPool, team: TeamId, numbers: Range<u32>) {
        let mut conn = pool.acquire().await.unwrap();
        for index in numbers {
            let (site, environment) = (SiteId::new(), EnvironmentId::new());
            let (deployment, release) = (DeploymentId::new(), ReleaseId::new());
            let slug = format!("site{index}");
            let source = Source::Template("static".into());
            let new = store::sites::NewSite {
                id: site,
                team,
                slug: &slug,
                name: &slug,
                source: &source,
                webhook_secret: b"",
                repository_token: None,
            };
            store::sites::insert(&mut conn, &new).await.unwrap();
            let new = store::environments::NewEnvironment {
                id: environment,
                team,
                site,
                name: "production",
                host: &slug,
                branch: "main",
                root: "",
                watch: &[],
                secrets: b"",
            };
            assert!(store::environments::insert(&mut conn, &new, 1 << 12).await.unwrap());
            let new = store::deployments::NewDeployment {
                id: deployment,
                team,
                site,
                environment,
                trigger: Trigger::Manual,
                triggered_by: None,
                branch: None,
                commit: None,
                message: None,
                author: None,
                from_release: None,
                variables_version: None,
                reason: None,
            };
            store::deployments::insert(&mut conn, &new).await.unwrap();
            sqlx::query("update deployments set status = 'live' where id = $1")
                .bind(deployment)
                .execute(&mut *conn)
                .await
                .unwrap();
            let release_plan = ReleasePlan {
                team,
                site,
                environment,
                deployment,
                project: format!("acme-{slug}"),
                hosts: vec![format!("{slug}.localhost")],
                domain: None,
                network: NetworkPlan {
                    name: format!("acme-{slug}-network"),
                    base: [10, 64, 0, 0].into(),
                    prefix: plan::SUBNET_PREFIX,
                },
                containers: vec![],
                volumes: BTreeMap::new(),
            };
            store::releases::insert(&mut conn, team, release, environment, deployment, &release_plan, 0).await.unwrap();
            store::environments::set_current(&mut conn, team, environment, release).await.unwrap();
        }
    }

    /// How long a look takes, the median of some.
    async fn time(platform: &Platform) -> Duration {
        let mut times = vec![];
        for _ in 0..21 {
            let begun = Instant::now();
            reconcile::differences(platform).await.unwrap();
            times.push(begun.elapsed());
        }
        times.sort();
        times[times.len() / 2]
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn a_look_asks_the_engine_as_often_for_many_environments_as_for_one(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let team = store::teams::insert(&mut conn, "acme", "Acme").await.unwrap().unwrap().id;
        drop(conn);
        let engine = Arc::new(FakeRuntime::default());
        let mut platform = testing::platform(pool.clone(), Signup::Open);
        platform.engine = engine.clone();
        fill(&pool, team, 0..FEW).await;
        let few = time(&platform).await;
        fill(&pool, team, FEW..MANY).await;
        let many = time(&platform).await;
        let ratio = many.as_secs_f64() / few.as_secs_f64();
        println!("A look at {FEW} environments takes {few:.1?}, at {MANY} {many:.1?}: {ratio:.1}×");

        let before = engine.calls().len();
        let found = reconcile::differences(&platform).await.unwrap();
        let of_environments = found.actions.iter().filter(|action| action.environment.is_some()).count();
        assert_eq!(of_environments, 2 * usize::try_from(MANY).unwrap(), "a network and a route each");
        let mut calls = engine.calls().split_off(before);
        calls.sort();
        assert_eq!(calls, ["list_containers", "list_images", "list_networks"]);
    }
}
