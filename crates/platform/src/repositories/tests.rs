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
        pushed(platform, actor, *site, &[moved(from, to)]).await
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
    Moved { branch: "main".into(), from: Some(from.clone()), to: to.clone() }
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
