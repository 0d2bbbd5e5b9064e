//! Logs: without secrets, capped, kept for a time, and to be had as a file.

use crate::{
    pipeline::Site,
    support::{Setup, json, until},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Client, Method};
use serde_json::json;
use std::fmt::Write;

const SECRET: &str = "wm-Planted/S3cret+value=42\"x";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\nMzEfYyjiWA4R4ypbHqGC0H0+tG3hGbN4MYHRyKyHRa8aQ8lzG2Pi6oXQzQZpX6m1\n-----END PRIVATE KEY-----";
/// What must not be found: parts of the secrets, and of what they are in base64 at each alignment.
const FORBIDDEN: [&str; 6] = ["Planted", "S3cret", "Us8cKj", "HRa8aQ8lz", "GxhbnRlZC9", "VBsYW50ZWQ"];

impl Site {
    /// All lines of a deployment's log.
    async fn lines(&self, deployment: &str) -> Vec<String> {
        let mut lines = vec![];
        loop {
            let path = format!("/api/v1/deployments/{deployment}/log?after={}", lines.len());
            let (status, page) = self.app.get(&path, Some(&self.token)).await;
            assert_eq!(status, 200, "{page}");
            let items = page["items"].as_array().unwrap();
            lines.extend(items.iter().map(|line| line["text"].as_str().unwrap().to_owned()));
            if items.is_empty() {
                return lines;
            }
        }
    }

    async fn text(&self, path: &str, accept: &str) -> String {
        let url = format!("{}/api/v1{path}", self.app.url);
        let request = self.app.client.get(url).bearer_auth(&self.token).header("accept", accept);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/plain; charset=utf-8");
        assert!(answer.headers()["content-disposition"].to_str().unwrap().starts_with("attachment;"));
        answer.text().await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_shows_no_secret_however_a_build_prints_it() {
    let master = "4d61737465724b65794d61737465724b65794d61737465724b65794d61737465";
    let site = Site::live_on(Setup::new().await.set("MASTER_KEY", master)).await;
    let path = format!("/api/v1/sites/{}/environments/production/variables", site.id);
    let variables = json!({"variables": [
        {"name": "PLANTED", "value": SECRET, "secret": true},
        {"name": "PLANTED_KEY", "value": KEY, "secret": true},
    ]});
    let answer = site.app.send(Method::PUT, &path, Some(&site.token), Some(&variables)).await;
    assert_eq!(answer.status(), 200);
    // From files, so that each way of printing is the program's own.
    let print = "use strict; undef $/; use MIME::Base64; $| = 1;\n\
        open(my $f, '<', 'secret') or die; my $s = <$f>; open(my $k, '<', 'key') or die; my $key = <$k>;\n\
        print \"plain: $s\\n\"; print STDERR \"error: $s\\n\";\n\
        for my $cut (1 .. length($s) - 1) { print substr($s, 0, $cut); select(undef, undef, undef, 0.002); print substr($s, $cut), \"\\n\" }\n\
        for my $before ('', 'x', 'xy') { print 'base64: ', encode_base64(\"$before$s\", ''), \"\\n\"; my $u = encode_base64(\"$before$s\", ''); $u =~ tr{+/}{-_}; $u =~ s/=+$//; print \"url: $u\\n\" }\n\
        print \"wrapped:\\n\", encode_base64($key);\n\
        (my $p = $s) =~ s/([^A-Za-z0-9._~-])/sprintf('%%%02X', ord($1))/ge; print \"percent: $p\\n\";\n\
        (my $j = $s) =~ s/([\"\\\\])/\\\\$1/g; print qq({\"json\": \"$j\"}\\n);\n\
        print \"key:\\n$key\\n\"; (my $one = $key) =~ s/\\n/\\\\n/g; print \"one line: $one\\n\";\n\
        print 'x' x 70000, $s, \"\\n\";\n";
    let master_base64 = STANDARD.encode("MasterKeyMasterKeyMasterKeyMaste");
    let dockerfile = format!(
        "FROM debian:bookworm-slim\nCOPY . /x\nWORKDIR /x\nRUN perl print.pl\nRUN echo {master} {master_base64}\n\
         RUN echo 'in the command: {SECRET}'; exit 3\n"
    );
    site.commit(&[("Dockerfile", &dockerfile), ("secret", SECRET), ("key", KEY), ("print.pl", print)]).await;
    let deployment = site.deploy().await;
    let ended = site.ended(&deployment).await;
    assert_eq!(ended["error"]["code"], "build_failed", "{ended:#}");

    let lines = site.lines(&deployment).await;
    let log = lines.join("\n");
    for (what, text) in [("log", &log), ("failure", &ended.to_string())] {
        for part in FORBIDDEN.iter().chain([&master]) {
            let at = text.find(part);
            assert!(at.is_none(), "{part} in the {what}: …{}…", &text[at.unwrap_or(0).saturating_sub(80)..]);
        }
    }
    for shown in ["plain: ••", "error: ••", "base64: ", "percent: ••", "one line: ", "in the command: ••"]
    {
        assert!(log.contains(shown), "{shown} is missing:\n{log}");
    }
    assert!(lines.iter().any(|line| line.ends_with("(the rest of this line was left out)")), "the huge line");
    let wrapped = lines.iter().position(|line| line == "wrapped:").unwrap();
    let left: usize = lines[wrapped + 1..wrapped + 4].iter().map(|line| line.replace('•', "").len()).sum();
    assert!(left < 100, "of 250 characters of base64: {:?}", &lines[wrapped + 1..wrapped + 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_cut_shows_both_its_ends_and_is_a_file_too() {
    let site = Site::live_on(Setup::new().await.set("LOG_MAX_LINES", "200")).await;
    site.commit(&[("Dockerfile", "FROM debian:bookworm-slim\nRUN seq 1 20000; echo the last words; exit 7\n")]).await;
    let deployment = site.deploy().await;
    assert_eq!(site.ended(&deployment).await["error"]["code"], "build_failed");

    let lines = site.lines(&deployment).await;
    assert!((1_200..1_300).contains(&lines.len()), "{}", lines.len());
    let at = |is: &dyn Fn(&str) -> bool| lines.iter().position(|line| is(line)).unwrap_or(usize::MAX);
    let cut = at(&|line| line.starts_with("The log is cut here, after 200 lines"));
    let gap = at(&|line| line.contains("were left out here"));
    let order = [
        at(&|line| line == "1"),
        cut,
        gap,
        at(&|line| line == "20000"),
        at(&|line| line == "the last words"),
        at(&|line| line.starts_with("Failed: ")),
    ];
    assert!(order.is_sorted() && order[5] < lines.len(), "{order:?}");

    let whole = lines.iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{line}");
        text
    });
    let path = format!("/deployments/{deployment}/log");
    assert_eq!(site.text(&path, "text/plain").await, whole);
    assert_eq!(site.text(&format!("{path}?download"), "*/*").await, whole);

    // The dashboard's button leads here; it works for those who are signed in and may see the site.
    let file = format!("{}/deployments/{deployment}/log.txt", site.app.url);
    let stranger = crate::support::client();
    assert_eq!(stranger.get(&file).send().await.unwrap().status(), 401);
    site.app.register("stranger@example.org").await;
    for (email, status) in [("stranger@example.org", 404), (site.email.as_str(), 200)] {
        let browser = crate::support::client();
        sign_in(&site, &browser, email).await;
        let answer = browser.get(&file).send().await.unwrap();
        assert_eq!(answer.status(), status, "{email}");
        if status == 200 {
            assert_eq!(answer.text().await.unwrap(), whole);
        }
    }
}

async fn sign_in(site: &Site, browser: &Client, email: &str) {
    let form = [("email", email), ("password", "tide lamp orbit 7")];
    let answer = browser.post(format!("{}/_fn/sign_in", site.app.url)).form(&form).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_go_when_their_time_is_over_and_say_so() {
    let mut site = Site::live().await;
    let first = site.app.get(&format!("/api/v1/sites/{}", site.id), Some(&site.token)).await.1;
    let old = first["latest_deployment"]["id"].as_str().unwrap().to_owned();
    let recent = site.deploy().await;
    assert_eq!(site.ended(&recent).await["status"], "live");
    let pool = site.app.pool();
    for (id, days) in [(&old, 31), (&recent, 29)] {
        let id: uuid::Uuid = id.parse().unwrap();
        let query = "update deployments set finished_at = now() - make_interval(days => $2) where id = $1";
        sqlx::query(query).bind(id).bind(days).execute(&pool).await.unwrap();
    }
    // Everything is looked at when the platform starts.
    site.app.kill();
    site.app.restart().await;
    let path = format!("/api/v1/deployments/{old}/log");
    until("the old log is gone", async || {
        let (_, page) = json(site.app.send(Method::GET, &path, Some(&site.token), None).await).await;
        (page["removed_at"].is_string() && page["items"] == json!([]) && page["complete"] == true).then_some(())
    })
    .await;
    assert!(site.text(&format!("/deployments/{old}/log"), "text/plain").await.contains("logs are kept for a time"));
    assert!(!site.lines(&recent).await.is_empty());
    assert_eq!(site.show(&old).await["status"], "live", "the deployment itself stays");
}
