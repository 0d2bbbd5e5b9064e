//! What pushes lead to, on the real database and real repositories.

use super::*;
use crate::testing::World;
use forge::hosted::{Author, FileChange, commit_files};
use sqlx::PgPool;
use std::{collections::BTreeMap, time::Duration};
use tempfile::TempDir;

/// Long enough for what waits to be seen waiting.
const WHILE: Duration = Duration::from_millis(700);

/// A site with a repository, its branch `main` one commit long.
struct Bench {
    world: World,
    first: CommitSha,
    _folder: TempDir,
}

impl Bench {
    async fn new(pool: PgPool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut world = World::new(pool).await;
        world.platform.settings.data_dir = folder.path().to_owned();
        hosted::create_empty(&world.platform.repository(world.site)).await.unwrap();
        let first = commit(&world, "README.md", "First").await;
        Self { world, first, _folder: folder }
    }

    async fn commit(&self, file: &str, message: &str) -> CommitSha {
        commit(&self.world, file, message).await
    }

    async fn push(&self, from: &CommitSha, to: &CommitSha) -> Result<Pushed> {
        let World { platform, actor, site, .. } = &self.world;
        let push = self.begin().await;
        pushed(platform, actor, &push, *site, &[moved(from, to)]).await
    }

    /// The commits of deployments in this state, oldest first.
    async fn commits(&self, status: &str) -> Vec<String> {
        sqlx::query_scalar("select commit_sha from deployments where status = $1 order by number")
            .bind(status)
            .fetch_all(&self.world.platform.pool)
            .await
            .unwrap()
    }
}

async fn commit(world: &World, file: &str, message: &str) -> CommitSha {
    let (path, main) = (world.platform.repository(world.site), BranchName::parse("main").unwrap());
    let files = BTreeMap::from([(file.to_owned(), FileChange::Write(message.as_bytes().to_vec()))]);
    commit_files(&path, &main, &files, message, &Author::platform()).await.unwrap()
}

fn moved(from: &CommitSha, to: &CommitSha) -> Moved {
    Moved { branch: "main".into(), from: Some(from.clone()), to: Some(to.clone()) }
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_two_pushes_at_once_the_newer_commit_is_what_waits(pool: PgPool) {
    let bench = Bench::new(pool.clone()).await;
    let older = bench.commit("a", "Older").await;
    let mut elsewhere = pool.begin().await.unwrap();
    store::environments::lock_of_site(&mut elsewhere, bench.world.team, bench.world.site).await.unwrap();
    let first = bench.push(&bench.first, &older);
    tokio::pin!(first);
    assert!(tokio::time::timeout(WHILE, &mut first).await.is_err(), "it decides after whoever decides now");
    let newer = bench.commit("b", "Newer").await;
    let second = bench.push(&older, &newer);
    let released = async {
        tokio::time::sleep(WHILE).await;
        elsewhere.commit().await.unwrap();
    };
    let (first, second, ()) = tokio::join!(first, second, released);
    assert_eq!(first.unwrap(), Pushed::default(), "the other push deploys it");
    assert_eq!(second.unwrap().started.len(), 1);
    assert_eq!(bench.commits("queued").await, [newer.as_str()]);
    assert_eq!(bench.commits("superseded").await, [] as [&str; 0]);
}

impl Bench {
    async fn watch(&self, pattern: &str) {
        let World { platform, environment, .. } = &self.world;
        let change = sqlx::query("update environments set watch = $2 where id = $1");
        change.bind(environment).bind([pattern]).execute(&platform.pool).await.unwrap();
    }

    async fn set_status(&self, commit: &CommitSha, status: &str) {
        let change = sqlx::query("update deployments set status = $2 where commit_sha = $1");
        change.bind(commit.as_str()).bind(status).execute(&self.world.platform.pool).await.unwrap();
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_push_that_was_passed_over_is_deployed_with_the_next_one(pool: PgPool) {
    let bench = Bench::new(pool).await;
    bench.watch("apps/web").await;
    let live = bench.commit("apps/web/a", "Live").await;
    assert_eq!(bench.push(&bench.first, &live).await.unwrap().started.len(), 1);
    bench.set_status(&live, "live").await;
    let passed_over = bench.commit("apps/web/a", "Passed over").await;
    let newest = bench.commit("docs/a", "Only words").await;
    assert_eq!(bench.push(&live, &passed_over).await.unwrap(), Pushed::default());
    assert_eq!(bench.push(&passed_over, &newest).await.unwrap().started.len(), 1, "it brings what came before it");
    assert_eq!(bench.commits("queued").await, [newest.as_str()]);
    let more = bench.commit("docs/a", "More words").await;
    assert_eq!(bench.push(&newest, &more).await.unwrap().ignored.len(), 1, "what waits has the rest");
    bench.set_status(&newest, "failed").await;
    let again = bench.commit("docs/a", "Other words").await;
    assert_eq!(bench.push(&more, &again).await.unwrap().started.len(), 1, "what failed is not there yet");
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_a_deployment_that_is_known_a_push_is_judged_by_itself(pool: PgPool) {
    let bench = Bench::new(pool).await;
    bench.watch("apps/web").await;
    let words = bench.commit("docs/a", "Words").await;
    assert_eq!(bench.push(&bench.first, &words).await.unwrap().ignored.len(), 1);
    let web = bench.commit("apps/web/a", "Web").await;
    assert_eq!(bench.push(&words, &web).await.unwrap().started.len(), 1);
    let elsewhere = CommitSha::parse(&"1".repeat(40)).unwrap();
    let change = sqlx::query("update deployments set commit_sha = $1").bind(elsewhere.as_str());
    change.execute(&bench.world.platform.pool).await.unwrap();
    let more = bench.commit("docs/a", "More words").await;
    assert_eq!(bench.push(&web, &more).await.unwrap().ignored.len(), 1);
    let skipped = bench.commit("apps/web/a", "Later [skip deploy]").await;
    assert!(bench.push(&more, &skipped).await.unwrap().ignored[0].contains("[skip deploy]"));
}

impl Bench {
    async fn resume(&self) -> bool {
        resume(&self.world.platform, true).await.unwrap()
    }

    async fn begin(&self) -> Begun {
        let World { platform, actor, site, .. } = &self.world;
        let repository = Repository { site: *site, path: platform.repository(*site), branches: vec!["main".into()] };
        begin(platform, actor, &repository).await.unwrap()
    }

    async fn rows(&self) -> i64 {
        let count = sqlx::query_scalar("select count(*) from pushes_under_way");
        count.fetch_one(&self.world.platform.pool).await.unwrap()
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_push_that_was_cut_off_is_made_up_for_once(pool: PgPool) {
    let bench = Bench::new(pool).await;
    let at_work = bench.begin().await;
    let tip = bench.commit("a", "Moved").await;
    assert!(bench.resume().await);
    assert_eq!((bench.rows().await, bench.commits("queued").await.len()), (1, 0), "somebody is at work on it");
    drop(at_work);
    assert!(bench.resume().await && bench.resume().await);
    assert_eq!((bench.rows().await, bench.commits("queued").await), (0, vec![tip.to_string()]));
    let asked: (String, Option<uuid::Uuid>) = sqlx::query_as("select trigger, triggered_by from deployments")
        .fetch_one(&bench.world.platform.pool)
        .await
        .unwrap();
    assert_eq!(asked, ("push".into(), bench.world.actor.user.map(|user| user.0)));
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_moved_nothing_or_is_not_wanted_or_was_deployed_since_is_only_forgotten(pool: PgPool) {
    let bench = Bench::new(pool).await;
    drop(bench.begin().await);
    assert!(bench.resume().await);
    assert_eq!(bench.rows().await, 0, "nothing moved");
    drop(bench.begin().await);
    let skipped = bench.commit("a", "Not now [skip deploy]").await;
    assert!(bench.resume().await);
    assert_eq!((bench.rows().await, bench.commits("queued").await.len()), (0, 0));
    drop(bench.begin().await);
    let tip = bench.commit("a", "Another push tells of it").await;
    assert_eq!(bench.push(&skipped, &tip).await.unwrap().started.len(), 1);
    bench.set_status(&tip, "failed").await;
    assert!(bench.resume().await);
    assert_eq!((bench.rows().await, bench.commits("queued").await.len()), (0, 0), "it was deployed, and failed");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_push_stays_written_down_while_the_database_fails_and_not_where_it_is_refused(pool: PgPool) {
    let bench = Bench::new(pool.clone()).await;
    let World { platform, actor, site, .. } = &bench.world;
    let push = bench.begin().await;
    let tip = bench.commit("a", "Moved").await;
    let set = async |change: &'static str| sqlx::query(change).execute(&pool).await.unwrap();
    set("alter table deployments rename to away").await;
    assert!(pushed(platform, actor, &push, *site, &[moved(&bench.first, &tip)]).await.is_err());
    set("alter table away rename to deployments").await;
    assert_eq!(bench.rows().await, 1);
    set("update sites set deleting_at = now()").await;
    let refused = pushed(platform, actor, &push, *site, &[moved(&bench.first, &tip)]).await;
    assert_eq!(crate::testing::problem(refused).code, "site_deleting");
    assert_eq!(bench.rows().await, 0);
}

#[sqlx::test(migrations = "../../migrations")]
async fn another_process_is_given_time_to_say_that_it_is_at_work(pool: PgPool) {
    let bench = Bench::new(pool.clone()).await;
    let platform = &bench.world.platform;
    drop(bench.begin().await);
    bench.commit("a", "Moved").await;
    assert!(resume(platform, false).await.unwrap());
    assert_eq!(bench.rows().await, 1);
    let old = sqlx::query("update pushes_under_way set seen_at = now() - interval '4 min'");
    old.execute(&pool).await.unwrap();
    assert!(resume(platform, false).await.unwrap());
    assert_eq!((bench.rows().await, bench.commits("queued").await.len()), (0, 1));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_deleted_branch_is_told_once_it_is_gone(pool: PgPool) {
    let bench = Bench::new(pool).await;
    let World { platform, actor, site, .. } = &bench.world;
    let gone = Moved { to: None, ..moved(&bench.first, &bench.first) };
    let push = bench.begin().await;
    let told = pushed(platform, actor, &push, *site, std::slice::from_ref(&gone)).await.unwrap();
    assert_eq!(told, Pushed::default(), "it is still there");
    let branch = platform.repository(*site).join("refs/heads/main");
    tokio::fs::remove_file(branch).await.unwrap();
    assert_eq!(pushed(platform, actor, &push, *site, &[gone]).await.unwrap().deleted, ["main"]);
}
