//! Pushes beside each other and beside deployments, and what the pusher is told.

use crate::{
    git_http::{Bench, told},
    support::{App, Setup, until},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Child,
};

const MB: usize = 1024 * 1024;

/// With the real Docker and a repository that is empty.
async fn with_docker() -> Bench {
    let app = App::start().await;
    app.until_ready().await;
    let bench = Bench::with_source(app, json!({"hosted": {}})).await;
    // An empty repository says nothing of its branch.
    bench.done(bench.folder.path(), &["init", "--quiet", "--initial-branch=main", "work"]).await;
    bench.done(&bench.work(), &["remote", "add", "origin", &bench.own_address()]).await;
    bench
}

/// The files of a site that serves this word, and whose build takes so many seconds and ends with this command.
fn write_site(folder: &Path, word: &str, seconds: u32, last: &str) {
    let serve = "use IO::Socket::INET;\nmy $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 64) or die;\n\
                 while (my $c = $s->accept) { while (<$c>) { last if /^\\r?\\n$/ } \
                 print $c \"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok\"; close $c; }\n";
    let build = format!(
        "FROM debian:bookworm-slim\nRUN sleep {seconds} && {last} # {word}\nCOPY serve.pl /srv/\nUSER nobody\n\
         EXPOSE 8080\nCMD [\"perl\", \"/srv/serve.pl\"]\n"
    );
    fs::write(folder.join("Dockerfile"), build).unwrap();
    fs::write(folder.join("serve.pl"), serve).unwrap();
}

impl Bench {
    async fn status_of(&self, commit: &str) -> Option<String> {
        let all = self.deployments().await;
        let found = all.iter().find(|deployment| deployment["commit"] == commit)?;
        Some(found["status"].as_str().unwrap().to_owned())
    }

    async fn until_status(&self, commit: &str, statuses: &[&str]) -> String {
        until(&format!("{commit} is {statuses:?}"), async || {
            self.status_of(commit).await.filter(|status| statuses.contains(&status.as_str()))
        })
        .await
    }

    async fn make_environment(&self, name: &str, branch: &str) {
        let path = format!("/api/v1/sites/{}/environments", self.site);
        let (status, made) = self.app.post(&path, Some(&self.token), &json!({"name": name, "branch": branch})).await;
        assert_eq!(status, 201, "{made}");
    }

    async fn cancel(&self, deployment: &Value) {
        let path = format!("/api/v1/deployments/{}/cancel", deployment["id"].as_str().unwrap());
        let (status, answer) = self.app.post(&path, Some(&self.token), &json!({})).await;
        assert_eq!(status, 202, "{answer}");
    }

    /// Ends every deployment that waits, so that whoever pushed need not wait for it, until the pushes have ended.
    async fn cancel_until<T>(&self, pushes: impl Future<Output = T>) -> T {
        let cancelling = async {
            loop {
                for deployment in self.deployments().await.iter().filter(|one| one["status"] == "queued") {
                    let path = format!("/api/v1/deployments/{}/cancel", deployment["id"].as_str().unwrap());
                    // Another push may have superseded it.
                    self.app.post(&path, Some(&self.token), &json!({})).await;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        tokio::select! {
            done = pushes => done,
            () = cancelling => unreachable!(),
        }
    }
}

/// Reads what git tells until this is among it.
async fn read_until(push: &mut Child, words: &str) -> String {
    let mut lines = BufReader::new(push.stderr.as_mut().unwrap()).lines();
    let mut told = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        told += &line;
        told.push('\n');
        if line.contains(words) {
            return told;
        }
    }
    panic!("never said {words:?}:\n{told}")
}

#[tokio::test]
async fn the_first_push_to_an_empty_repository_is_its_first_deployment_and_ctrl_c_does_not_stop_it() {
    let bench = with_docker().await;
    assert_eq!(bench.deployments().await, [] as [Value; 0], "there is nothing to deploy");
    write_site(&bench.work(), "first", 4, "true");
    let commit = bench.commit("First").await;
    let mut push = bench.git(&bench.work(), &["push", "origin", "main"]).process_group(0).spawn().unwrap();
    read_until(&mut push, "remote: Deployment 1 of Shop to production").await;
    // To all of git's group, as a terminal does.
    let group = format!("-{}", push.id().unwrap());
    let ctrl_c = std::process::Command::new("kill").args(["-s", "INT", "--", &group]).status().unwrap();
    assert!(ctrl_c.success());
    push.wait().await.unwrap();
    let status = bench.status_of(&commit).await.unwrap();
    assert!(["queued", "fetching", "building"].contains(&status.as_str()), "it is under way: {status}");
    bench.until_status(&commit, &["live"]).await;
    bench.fsck().await;
}

#[tokio::test]
async fn a_push_whose_build_fails_ends_with_the_step_and_its_reason() {
    let bench = with_docker().await;
    write_site(&bench.work(), "broken", 0, "echo the-cause-of-it && exit 3");
    let commit = bench.commit("Broken").await;
    let told = bench.done(&bench.work(), &["push", "origin", "main"]).await;
    assert_eq!(bench.status_of(&commit).await.unwrap(), "failed");
    let remote = |words: &str| told.lines().any(|line| line.starts_with("remote: ") && line.contains(words));
    let error = "error: The deployment failed in step build, service www: The command ";
    for words in ["| the-cause-of-it", "Read the last lines of the build log", error] {
        assert!(remote(words), "{words}: {told}");
    }
    assert!(!told.contains("Live: "), "{told}");
}

#[tokio::test]
async fn a_push_while_a_deployment_builds_goes_live_after_it_and_both_pushers_are_told() {
    let bench = with_docker().await;
    write_site(&bench.work(), "older", 5, "true");
    let older = bench.commit("Older").await;
    let first = bench.git(&bench.work(), &["push", "origin", "main"]).spawn().unwrap();
    bench.until_status(&older, &["building"]).await;
    write_site(&bench.work(), "newer", 0, "true");
    let newer = bench.commit("Newer").await;
    let second = bench.done(&bench.work(), &["push", "origin", "main"]).await;
    let first = first.wait_with_output().await.unwrap();
    assert!(first.status.success(), "{}", told(&first));
    for told in [told(&first), second] {
        assert!(told.contains("remote: Live: http://shop.localhost"), "{told}");
    }
    assert_eq!(bench.status_of(&newer).await.unwrap(), "live");
    let current: Vec<Value> = bench.deployments().await.into_iter().filter(|one| one["is_current"] == true).collect();
    assert_eq!(current.len(), 1);
    assert_eq!(current[0]["commit"], newer);
    bench.fsck().await;
}

#[tokio::test]
async fn two_environments_pushed_at_once_are_two_deployments_and_both_are_told() {
    let bench = Bench::start().await;
    let work = bench.clone().await;
    bench.make_environment("staging", "develop").await;
    let main = bench.commit("For production").await;
    bench.done(&work, &["checkout", "--quiet", "-b", "develop"]).await;
    let develop = bench.commit("For staging").await;
    let push = bench.git(&work, &["push", "origin", "main", "develop"]).spawn().unwrap();
    let deployments = until("both", async || {
        let all = bench.deployments().await;
        let found: Vec<Value> = all.into_iter().filter(|d| d["commit"] == main || d["commit"] == develop).collect();
        (found.len() == 2).then_some(found)
    })
    .await;
    for deployment in &deployments {
        bench.cancel(deployment).await;
    }
    let output = push.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{}", told(&output));
    for environment in ["production", "staging"] {
        assert!(told(&output).contains(&format!(" of Shop to {environment}")), "{}", told(&output));
    }
    let mut pairs: Vec<_> = deployments.iter().map(|d| (d["environment"].clone(), d["commit"].clone())).collect();
    pairs.sort_by_key(|(environment, _)| environment.to_string());
    assert_eq!(pairs, [(json!("production"), json!(main)), (json!("staging"), json!(develop))]);
}

#[tokio::test]
async fn two_clones_that_push_at_once_leave_a_sound_repository_whose_tip_is_deployed() {
    let bench = Bench::start().await;
    let clones: [PathBuf; 2] = ["work", "other"].map(|name| bench.folder.path().join(name));
    for clone in &clones {
        let name = clone.to_str().unwrap();
        bench.done(bench.folder.path(), &["clone", "--quiet", &bench.own_address(), name]).await;
    }
    for round in 0..5 {
        for (index, clone) in clones.iter().enumerate() {
            bench.done(clone, &["pull", "--quiet", "--rebase", "origin", "main"]).await;
            fs::write(clone.join(format!("{index}.txt")), round.to_string()).unwrap();
            bench.done(clone, &["add", "--all"]).await;
            bench.done(clone, &["commit", "--quiet", "--message", &format!("{round} of {index}")]).await;
        }
        let push = |index: usize| {
            let branch = format!("+HEAD:refs/heads/idea-{index}");
            bench.git(&clones[index], &["push", "origin", "HEAD:main", &branch]).output()
        };
        let (one, other) = bench.cancel_until(async { tokio::join!(push(0), push(1)) }).await;
        let outputs: [Output; 2] = [one.unwrap(), other.unwrap()];
        assert!(outputs.iter().any(|output| output.status.success()), "{} {}", told(&outputs[0]), told(&outputs[1]));
        for (index, output) in outputs.iter().enumerate() {
            assert!(told(output).contains(&format!("-> idea-{index}")), "{}", told(output));
        }
        for clone in &clones {
            bench.done(clone, &["fetch", "--quiet"]).await;
        }
        bench.fsck().await;
        let tip = bench.done(&bench.repository(), &["rev-parse", "main"]).await;
        let newest = bench.deployments().await.into_iter().find(|one| one["status"] != "superseded").unwrap();
        assert_eq!(newest["commit"], tip, "round {round}");
    }
}

#[tokio::test]
async fn a_deleted_branch_is_told_and_the_head_is_productions() {
    let bench = Bench::start().await;
    let work = bench.clone().await;
    bench.make_environment("staging", "staging").await;
    bench.done(&work, &["checkout", "--quiet", "-b", "staging"]).await;
    let commit = bench.commit("For staging").await;
    bench.push(&["origin", "staging"], &commit).await;
    let count = bench.deployments().await.len();
    let told = bench.done(&work, &["push", "origin", "--delete", "staging"]).await;
    assert!(told.contains("remote: The branch “staging” was deleted; what serves stays as it is."), "{told}");
    assert_eq!(bench.deployments().await.len(), count);

    let path = format!("/api/v1/sites/{}/environments/production", bench.site);
    let change = json!({"branch": "release"});
    let answer = bench.app.send(Method::PATCH, &path, Some(&bench.token), Some(&change)).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(bench.done(&bench.repository(), &["symbolic-ref", "HEAD"]).await, "refs/heads/release");
    bench.done(&work, &["checkout", "--quiet", "-b", "release"]).await;
    let commit = bench.commit("For release").await;
    bench.push(&["origin", "release"], &commit).await;
    bench.done(bench.folder.path(), &["clone", "--quiet", &bench.own_address(), "copy"]).await;
    assert_eq!(bench.done(&bench.folder.path().join("copy"), &["rev-parse", "HEAD"]).await, commit);
}

/// The most memory that a process has had since it was last asked to forget it, in bytes.
fn peak(pid: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

#[tokio::test]
async fn a_pack_of_200_megabytes_goes_both_ways_without_being_held_in_memory() {
    let setup = Setup::new().await.without_docker().arguments(&["serve", "--roles", "web"]);
    let bench = Bench::on(setup.start().await).await;
    let work = bench.clone().await;
    let mut noise = vec![0; 50 * MB];
    for name in 0..4 {
        noise.chunks_mut(16).for_each(|chunk| chunk.copy_from_slice(uuid::Uuid::new_v4().as_bytes()));
        fs::write(work.join(format!("noise-{name}")), &noise).unwrap();
    }
    bench.done(&work, &["checkout", "--quiet", "-b", "large"]).await;
    let commit = bench.commit("Large files").await;
    let pid = bench.app.pid();
    // proc_pid_clear_refs(5)
    fs::write(format!("/proc/{pid}/clear_refs"), "5").unwrap();
    let before = peak(pid);
    bench.done(&work, &["push", "origin", "large"]).await;
    assert_eq!(bench.done(&bench.repository(), &["rev-parse", "large"]).await, commit);
    let copy = bench.folder.path().join("copy");
    bench.done(bench.folder.path(), &["clone", "--quiet", "--branch=large", &bench.own_address(), "copy"]).await;
    let grown = peak(pid) - before;
    assert!(grown < 64 * MB, "it grew by {} MB", grown / MB);
    assert!(fs::read(copy.join("noise-3")).unwrap() == noise, "it comes back as it went");
    bench.fsck().await;
}
