//! How each kind of way is taken, and what came of it.

use super::{
    stage::{CALLERS, PASSWORD, Stage},
    table::Row,
};
use crate::{sockets::Socket, support::client};
use model::{
    deployment::{Status, Stream},
    event::Event,
};
use reqwest::{Client, Method, RequestBuilder, header};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt};
use store::logs::NewLine;

/// What a caller was answered: a status with its words, or a word of the sockets.
pub struct Answer {
    word: String,
    detail: String,
}

impl Answer {
    /// It is what a cell of the table says: the word, and after a colon what stands in the detail.
    pub fn is(&self, cell: &str) -> bool {
        match cell.split_once(':') {
            Some((word, part)) => self.word == word && self.detail.contains(part),
            None => self.word == cell,
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.detail.is_empty() { f.write_str(&self.word) } else { write!(f, "{}({})", self.word, self.detail) }
    }
}

/// It ends all that its caller is signed in with but itself.
pub const ENDS_BROWSERS: &str = "DELETE /api/v1/me/sessions";

/// Takes the ways of the table.
pub struct Calls<'a> {
    stage: &'a Stage,
    sockets: BTreeMap<&'static str, Socket>,
    /// What each was told by the sockets.
    told: Option<BTreeMap<&'static str, Vec<String>>>,
    anonymous: Client,
}

impl<'a> Calls<'a> {
    pub async fn new(stage: &'a Stage) -> Self {
        let mut sockets = BTreeMap::new();
        for caller in CALLERS {
            let auth = stage.token(caller, "socket").map_or(json!({}), |token| json!({"token": token}));
            if let Ok(socket) = Socket::connect(&client(), &stage.app.url, None, &auth).await {
                sockets.insert(caller, socket);
            }
        }
        Self { stage, sockets, told: None, anonymous: client() }
    }

    pub async fn answers(&mut self, row: &Row) -> Vec<Answer> {
        let mut answers = Vec::new();
        for caller in CALLERS {
            answers.push(match row.way.split_once(' ').unwrap() {
                ("fn", name) => self.function(caller, name, row).await,
                ("socket", event) => match event.split_once(' ').unwrap() {
                    ("<", event) => self.ask(caller, event, row).await,
                    (_, event) => self.hear(caller, event).await,
                },
                (method, path) if path.starts_with("/git/") => self.git(caller, method, path, row).await,
                (method, path) => self.rest(caller, method, path, row).await,
            });
        }
        if row.way == ENDS_BROWSERS {
            self.stage.sign_in().await;
        }
        answers
    }

    async fn rest(&self, caller: &str, method: &str, path: &str, row: &Row) -> Answer {
        let thing = match path.strip_prefix("/api/v1/").and_then(|rest| rest.split('/').next()) {
            _ if !row.on.is_empty() => row.on,
            Some("sites") => "site",
            Some("teams") => "team",
            Some("deployments") => "deployment",
            Some("deliveries") => "delivery",
            _ => "nobody",
        };
        let thing = if self.stage.things.contains_key(thing) { format!("{{{thing}}}") } else { thing.to_owned() };
        let path = path.replace("{id}", &thing).replace("{name}", "production").replace("{number}", "999");
        let known = |part: &str| self.stage.things.contains_key(part.trim_matches(['{', '}']));
        let part_of_it = format!("{{{}}}", row.part);
        let parts = path.split('/');
        let parts = parts.map(|part| if part.starts_with('{') && !known(part) { part_of_it.as_str() } else { part });
        let path = parts.collect::<Vec<_>>().join("/");
        let with = self.stage.filled(row.with);
        let (query, body) = if with.starts_with('?') { (with.as_str(), "") } else { ("", with.as_str()) };
        let url = format!("{}{}{query}", self.stage.app.url, self.stage.filled(&path));
        let mut request = self.anonymous.request(method.parse::<Method>().unwrap(), url);
        if let Some(token) = self.stage.token(caller, row.way) {
            request = request.bearer_auth(token);
        }
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_owned());
        }
        self.answer(caller, request).await
    }

    async fn function(&self, caller: &str, name: &str, row: &Row) -> Answer {
        let browser = self.stage.people.get(caller).map_or(&self.anonymous, |person| &person.browser);
        let mut request = browser.post(format!("{}/_fn/{name}", self.stage.app.url));
        // A token opens none of them.
        if let Some(token) = self.stage.tokens.get(match caller {
            "scope" | "without" => "all",
            "elsewhere" => "elsewhere",
            _ => "",
        }) {
            request = request.bearer_auth(token);
        }
        let kind = "application/x-www-form-urlencoded";
        let request = request.header(header::CONTENT_TYPE, kind).header(header::ACCEPT, "application/json");
        self.answer(caller, request.body(self.stage.filled(row.with))).await
    }

    async fn git(&self, caller: &str, method: &str, path: &str, row: &Row) -> Answer {
        let path = path.replace("{team}", &self.stage.things["team_slug"]).replace("{repository}", "shop.git");
        let url = format!("{}{path}", self.stage.app.url);
        let mut request = if method == "GET" {
            self.anonymous.get(format!("{url}{}", row.with))
        } else {
            let service = path.rsplit('/').next().unwrap();
            let kind = format!("application/x-{service}-request");
            self.anonymous.post(url).header(header::CONTENT_TYPE, kind).body("0000")
        };
        let way = if row.with.ends_with("receive-pack") { "git-receive-pack" } else { row.way };
        match self.stage.people.get(caller) {
            Some(person) => request = request.basic_auth(&person.email, Some(PASSWORD)),
            None => {
                if let Some(token) = self.stage.token(caller, way) {
                    request = request.basic_auth("x", Some(token));
                }
            }
        }
        self.answer(caller, request).await
    }

    async fn answer(&self, caller: &str, request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let word = response.status().as_u16().to_string();
        let text = String::from_utf8_lossy(&response.bytes().await.unwrap()).into_owned();
        if matches!(caller, "other" | "nobody" | "elsewhere") {
            let site = &self.stage.things["site"];
            assert!(!text.contains(site.as_str()), "{caller} is told of a site that is not its own: {text}");
        }
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        let problem = if body["problem"].is_object() { &body["problem"] } else { &body };
        let detail = match problem["detail"].as_str() {
            Some(detail) => format!("{} {detail}", problem["code"].as_str().unwrap_or_default()),
            None => String::new(),
        };
        // Git is refused in plain text.
        let detail = if detail.is_empty() && !word.starts_with('2') { text } else { detail };
        Answer { word, detail }
    }

    async fn ask(&mut self, caller: &str, event: &str, row: &Row) -> Answer {
        let word = match self.sockets.get_mut(caller) {
            None => "refused".to_owned(),
            Some(socket) => {
                let argument = serde_json::from_str(&self.stage.filled(row.with)).unwrap();
                let answer = socket.ask(event, &argument).await;
                answer["error"].as_str().unwrap_or("ok").to_owned()
            }
        };
        Answer { word, detail: String::new() }
    }

    async fn hear(&mut self, caller: &'static str, event: &str) -> Answer {
        if self.told.is_none() {
            self.told = Some(self.tell().await);
        }
        let told = self.told.as_ref().and_then(|told| told.get(caller)).is_some_and(|it| it.iter().any(|e| e == event));
        Answer { word: if told { "told" } else { "-" }.to_owned(), detail: String::new() }
    }

    /// Lets something happen to the site, and after it to one that each caller may see; what each heard before that.
    async fn tell(&mut self) -> BTreeMap<&'static str, Vec<String>> {
        let stage = self.stage;
        for socket in self.sockets.values_mut() {
            for target in
                [json!({"site_id": stage.things["site"]}), json!({"deployment_id": stage.things["deployment"]})]
            {
                socket.ask("subscribe", &target).await;
            }
        }
        let id = |name: &str| stage.things[name].parse::<uuid::Uuid>().unwrap();
        let (team, site, deployment) =
            (model::TeamId(id("team")), model::SiteId(id("site")), model::DeploymentId(id("deployment")));
        let mut tx = stage.app.pool().begin().await.unwrap();
        let line = NewLine { at: time::OffsetDateTime::now_utc(), stream: Stream::Platform, text: "A line".into() };
        let (from, to) = store::logs::append(&mut tx, deployment, &[line]).await.unwrap();
        let logged = Event::DeploymentLog { id: deployment, site_id: site, from, to };
        store::events::insert(&mut tx, team, &logged).await.unwrap();
        let live = Event::Deployment { id: deployment, site_id: site, status: Status::Live, step: None };
        store::events::insert(&mut tx, team, &live).await.unwrap();
        let event = Event::Site { id: site, status: "live".into() };
        store::events::insert(&mut tx, team, &event).await.unwrap();
        tx.commit().await.unwrap();
        let (_, own) = stage.app.get("/api/v1/teams", Some(&stage.people["other"].token)).await;
        let others: uuid::Uuid = own["items"][0]["id"].as_str().unwrap().parse().unwrap();
        let elsewhere = model::SiteId(id("elsewhere"));
        let mut tx = stage.app.pool().begin().await.unwrap();
        for team in [team, model::TeamId(others)] {
            let event = Event::Site { id: elsewhere, status: "last".into() };
            store::events::insert(&mut tx, team, &event).await.unwrap();
        }
        tx.commit().await.unwrap();
        let mut told = BTreeMap::new();
        for (caller, socket) in &mut self.sockets {
            let mut names = Vec::new();
            // This one may hear nothing at all, so there is no last word to wait for.
            if *caller != "without" {
                loop {
                    let (name, event) = socket.event().await;
                    if event["status"] == "last" {
                        break;
                    }
                    names.push(name);
                }
            }
            told.insert(*caller, names);
        }
        if let Some(socket) = self.sockets.get_mut("without") {
            socket.ask("unsubscribe", &json!({"site_id": stage.things["site"]})).await;
            told.insert("without", socket.heard());
        }
        told
    }
}
