//! Starting: settings, ports, locks, and what is told when something is wrong.

use crate::{
    pipeline::Site,
    support::{App, Setup},
};
use std::{net::TcpListener, process::Output};

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What a platform that did not start has left in its data folder: no name, no key, no database.
fn assert_only_the_lock_is_left(setup: &Setup) {
    let left: Vec<_> = std::fs::read_dir(setup.get("DATA_DIR")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["webmeteor.lock"]);
}

#[test]
fn a_wrong_setting_is_exit_code_2_and_is_named() {
    let output = Setup::bare().set("LISTEN", "nowhere").arguments(&["config"]).output();
    assert_eq!(output.status.code(), Some(2));
    assert!(told(&output).contains("WEBMETEOR_LISTEN"), "{}", told(&output));
}

#[test]
fn an_unknown_setting_and_an_unknown_option_are_exit_code_2() {
    let output = Setup::bare().set("PROXY_HTTP_PORTS", "1").arguments(&["config"]).output();
    assert_eq!(output.status.code(), Some(2));
    assert!(told(&output).contains("WEBMETEOR_PROXY_HTTP_PORT"), "{}", told(&output));
    assert_eq!(Setup::bare().arguments(&["serve", "--nonsense"]).output().status.code(), Some(2));
}

#[test]
fn the_settings_in_effect_are_printed_without_their_secrets() {
    let output = Setup::bare()
        .set("DATABASE_URL", "postgres://me:hush@127.0.0.1:1/x")
        .set("MASTER_KEY", "ab".repeat(32))
        .arguments(&["config"])
        .output();
    assert!(output.status.success());
    let text = told(&output);
    assert!(text.contains("WEBMETEOR_LISTEN") && text.contains("(hidden)"), "{text}");
    assert!(!text.contains("hush") && !text.contains("abab"), "{text}");
}

#[test]
fn a_part_of_the_roles_needs_a_database_that_is_shared() {
    let output = Setup::bare().without_docker().arguments(&["serve", "--roles", "web"]).output();
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("WEBMETEOR_DATABASE_URL"), "{}", told(&output));
}

#[tokio::test]
async fn a_second_platform_on_the_same_data_folder_is_told_who_has_it() {
    let first = App::start_without_docker().await;
    let second = Setup::new().await.without_docker().set("DATA_DIR", first.setup.get("DATA_DIR")).output();
    assert_eq!(second.status.code(), Some(1));
    let text = told(&second);
    assert!(text.contains(&first.pid().to_string()) && text.contains("WEBMETEOR_DATA_DIR"), "{text}");
}

#[tokio::test]
async fn a_port_in_use_is_told_with_its_setting_before_anything_is_made() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let setup = Setup::bare().without_docker().set("LISTEN", taken.local_addr().unwrap().to_string());
    let output = setup.output();
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("WEBMETEOR_LISTEN"), "{}", told(&output));
    assert_only_the_lock_is_left(&setup);
}

#[tokio::test]
async fn the_proxy_keeps_its_ports_and_another_platform_is_told_so() {
    let first = App::start().await;
    first.until_ready().await;
    let port = first.setup.get("PROXY_HTTP_PORT");
    let second = Setup::bare().set("PROXY_HTTP_PORT", port);
    let output = second.output();
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("WEBMETEOR_PROXY_HTTP_PORT"), "{}", told(&output));
    assert_only_the_lock_is_left(&second);
    let answer = first.client.get(first.proxy()).send().await.unwrap();
    assert_eq!(answer.status(), 404, "the proxy serves on, and knows no such site");
}

#[tokio::test(flavor = "multi_thread")]
async fn sites_stay_reachable_while_the_platform_is_down_and_when_it_is_back() {
    let mut site = Site::live().await;
    site.until_page("Morrow Studio").await;
    let serves = async |site: &Site| site.page().await.is_some_and(|page| page.contains("Morrow Studio"));
    assert!(site.app.stop().await.success());
    assert!(serves(&site).await, "while it is down");
    site.app.restart().await;
    site.app.until_ready().await;
    assert!(serves(&site).await, "when it is back");
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_told_with_its_setting_and_without_its_password() {
    let setup = Setup::bare().without_docker().set("DATABASE_URL", "postgres://me:hush@127.0.0.1:1/x");
    let output = setup.output();
    assert_eq!(output.status.code(), Some(1));
    let text = told(&output);
    assert!(text.contains("WEBMETEOR_DATABASE_URL") && !text.contains("hush"), "{text}");
}

#[tokio::test]
async fn ctrl_c_stops_in_good_order() {
    let mut app = App::start_without_docker().await;
    assert!(app.stop().await.success());
    assert!(app.log().contains("stopped"), "{}", app.log());
}

#[tokio::test]
async fn two_processes_may_bring_the_schema_up_to_date_at_once() {
    let first = Setup::new().await.without_docker();
    let url = first.get("DATABASE_URL").to_owned();
    let second = Setup::bare().without_docker().set("DATABASE_URL", url);
    let (first, second) = (first.spawn(), second.spawn());
    tokio::join!(first.until_healthy(), second.until_healthy());
}

#[tokio::test]
async fn web_and_worker_run_apart_on_one_data_folder() {
    let web = Setup::new().await.without_docker().arguments(&["serve", "--roles", "web"]).start().await;
    let mut worker = Setup::bare()
        .without_docker()
        .set("DATA_DIR", web.setup.get("DATA_DIR"))
        .set("DATABASE_URL", web.setup.get("DATABASE_URL"))
        .arguments(&["serve", "--roles", "worker"])
        .spawn();
    crate::support::until("the worker", async || worker.log().contains("worker started").then_some(())).await;
    assert!(worker.stop().await.success(), "{}", worker.log());
}

#[tokio::test]
async fn accounts_are_made_on_the_machine_while_the_platform_runs() {
    let app = App::start_without_docker().await;
    let create = Setup::bare()
        .set("DATA_DIR", app.setup.get("DATA_DIR"))
        .set("DATABASE_URL", app.setup.get("DATABASE_URL"))
        .arguments(&["user", "create", "ada@example.org", "--admin"]);
    let output = create.output();
    assert!(output.status.success(), "{}", told(&output));
    assert!(told(&output).contains("password: "));
    let again = create.output();
    assert_eq!(again.status.code(), Some(1), "the address is taken");
}
