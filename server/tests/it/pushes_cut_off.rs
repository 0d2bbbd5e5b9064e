//! Pushes in the middle of which the platform ends: what git stored is deployed afterwards, and nothing is in the way of
//! the next push.

use crate::{
    git_http::Bench,
    support::{Setup, until},
};
use futures::{StreamExt, stream};
use sqlx::Connection;
use std::fs;

/// As one process, which knows that no other is at work on its pushes.
async fn whole() -> Bench {
    Bench::on(Setup::new().await.without_docker().start().await).await
}

impl Bench {
    /// What stands in the database while a push is under way.
    async fn write_down_a_push(&self) {
        let tip = self.done(&self.repository(), &["rev-parse", "main"]).await;
        let row = "insert into pushes_under_way (id, team_id, site_id, user_id, tips) \
                   select gen_random_uuid(), team_id, id, (select id from users), jsonb_build_object('main', $1) from sites";
        sqlx::query(row).bind(tip).execute(&self.app.pool()).await.unwrap();
    }

    /// Moves the branch behind the platform's back; the new commit.
    async fn move_main(&self, message: &str) -> String {
        let repository = self.repository();
        let commit = self.done(&repository, &["commit-tree", "-p", "main", "-m", message, "main^{tree}"]).await;
        self.done(&repository, &["update-ref", "refs/heads/main", &commit]).await;
        commit
    }

    async fn until_nothing_is_written_down(&self) {
        until("no push is under way any more", async || {
            let count: i64 =
                sqlx::query_scalar("select count(*) from pushes_under_way").fetch_one(&self.app.pool()).await.ok()?;
            (count == 0).then_some(())
        })
        .await;
    }

    /// The commits that were deployed for a push.
    async fn pushed(&self) -> Vec<String> {
        let pushed = sqlx::query_scalar("select commit_sha from deployments where trigger = 'push' order by number");
        pushed.fetch_all(&self.app.pool()).await.unwrap()
    }

    fn quarantines(&self) -> usize {
        let objects = fs::read_dir(self.repository().join("objects")).unwrap().flatten();
        objects.filter(|entry| entry.file_name().to_string_lossy().starts_with("tmp_objdir")).count()
    }

    /// Begins a push whose pack does not come to its end, and waits until git has begun with it.
    async fn begin_a_slow_push(&self) {
        let before = self.done(&self.repository(), &["rev-parse", "main"]).await;
        let command = format!("{before} {} refs/heads/main\0report-status side-band-64k", "1".repeat(40));
        let begin = format!("{:04x}{command}0000PACK\0\0\0\u{2}\0\0\0\u{7f}", command.len() + 4);
        let body = stream::iter([Ok::<_, std::io::Error>(begin)]).chain(stream::pending());
        let request = self
            .app
            .client
            .post(format!("{}/git/test/shop.git/git-receive-pack", self.app.url))
            .basic_auth("x", Some(&self.token))
            .header("content-type", "application/x-git-receive-pack-request")
            .body(reqwest::Body::wrap_stream(body));
        tokio::spawn(async move { request.send().await?.bytes().await });
        until("git to begin", async || (self.quarantines() > 0).then_some(())).await;
    }

    /// The repository is whole, nothing is left in it, and the next push is taken and deployed.
    async fn is_sound(&self) {
        self.fsck().await;
        until("git's own cleaning", async || (self.quarantines() == 0).then_some(())).await;
        self.until_nothing_is_written_down().await;
        let commit = self.commit("Again").await;
        self.push(&[], &commit).await;
        assert_eq!(self.pushed().await, [commit]);
        self.fsck().await;
    }
}

#[tokio::test]
async fn what_git_stored_before_the_end_is_deployed_after_it() {
    let mut bench = whole().await;
    bench.app.kill();
    bench.write_down_a_push().await;
    let commit = bench.move_main("Stored and not queued").await;
    bench.app.restart().await;
    bench.until_nothing_is_written_down().await;
    assert_eq!(bench.pushed().await, [commit]);
    bench.app.kill();
    bench.write_down_a_push().await;
    bench.move_main("Not this one [skip deploy]").await;
    bench.app.restart().await;
    bench.until_nothing_is_written_down().await;
    assert_eq!(bench.pushed().await.len(), 1);
}

#[tokio::test]
async fn a_push_is_deployed_though_the_platform_was_killed_right_when_the_branch_had_moved() {
    let mut bench = whole().await;
    let work = bench.clone().await;
    let commit = bench.commit("Just in time").await;
    // Whoever decides what is deployed waits for this.
    let mut elsewhere = sqlx::PgConnection::connect(bench.app.setup.get("DATABASE_URL")).await.unwrap();
    let mut held = elsewhere.begin().await.unwrap();
    sqlx::query("select 1 from environments for no key update").execute(&mut *held).await.unwrap();
    let push = bench.git(&work, &["push"]).spawn().unwrap();
    until("the branch to move", async || {
        (bench.done(&bench.repository(), &["rev-parse", "main"]).await == commit).then_some(())
    })
    .await;
    bench.app.kill();
    assert!(!push.wait_with_output().await.unwrap().status.success(), "nobody told it that it was stored");
    held.rollback().await.unwrap();
    assert_eq!(bench.pushed().await, [] as [&str; 0]);
    bench.app.restart().await;
    bench.until_nothing_is_written_down().await;
    assert_eq!(bench.pushed().await, [commit]);
    bench.fsck().await;
}

#[tokio::test]
async fn a_slow_push_is_cut_off_in_good_order_when_the_platform_stops() {
    let mut bench = whole().await;
    bench.clone().await;
    bench.begin_a_slow_push().await;
    bench.app.signal("TERM");
    assert!(bench.app.ended().await.success());
    assert_eq!(bench.quarantines(), 0, "git ended before the platform did");
    bench.app.restart().await;
    bench.is_sound().await;
}

#[tokio::test]
async fn a_slow_push_in_which_the_platform_is_killed_leaves_nothing_in_the_way() {
    let mut bench = whole().await;
    bench.clone().await;
    bench.begin_a_slow_push().await;
    bench.app.kill();
    bench.app.restart().await;
    bench.is_sound().await;
}

#[tokio::test]
async fn a_lock_that_a_killed_git_left_is_removed_at_the_start() {
    let mut bench = whole().await;
    bench.clone().await;
    bench.app.kill();
    for lock in ["refs/heads/main.lock", "packed-refs.lock"] {
        fs::write(bench.repository().join(lock), "").unwrap();
    }
    bench.app.restart().await;
    bench.is_sound().await;
}
