//! What a Dockerfile says about its port.

use std::collections::HashMap;

/// Images that serve web pages and are commonly built upon without repeating their port.
const SERVE_ON_80: [&str; 3] = ["nginx", "httpd", "caddy"];

/// The first TCP port that the last stage exposes, itself or through the stage it is based on. A port given by a
/// variable is not known. Syntax: Dockerfile reference, `FROM` and `EXPOSE`.
pub(super) fn exposed_port(dockerfile: &str) -> Option<u16> {
    let mut stages: HashMap<String, Option<u16>> = HashMap::new();
    let (mut stage, mut port) = (None, None);
    for line in dockerfile.lines().map(str::trim) {
        let mut words = line.split_whitespace();
        let Some(instruction) = words.next() else { continue };
        if instruction.eq_ignore_ascii_case("FROM") {
            if let Some(stage) = stage.take() {
                stages.insert(stage, port);
            }
            let words: Vec<&str> = words.filter(|word| !word.starts_with("--")).collect();
            let base = words.first().copied().unwrap_or_default();
            port = stages.get(&base.to_lowercase()).copied().unwrap_or_else(|| port_of_base(base));
            stage = match words.as_slice() {
                [_, word, name] if word.eq_ignore_ascii_case("AS") => Some(name.to_lowercase()),
                _ => None,
            };
        } else if instruction.eq_ignore_ascii_case("EXPOSE") {
            port = words.find_map(tcp_port).or(port);
        }
    }
    port
}

fn tcp_port(word: &str) -> Option<u16> {
    let (number, protocol) = word.split_once('/').unwrap_or((word, "tcp"));
    number.parse().ok().filter(|port| *port > 0 && protocol.eq_ignore_ascii_case("tcp"))
}

fn port_of_base(image: &str) -> Option<u16> {
    let (name, tag) = image.rsplit('/').next().unwrap_or(image).split_once(':').unwrap_or((image, ""));
    let name = name.rsplit('/').next().unwrap_or(name);
    let serves = SERVE_ON_80.contains(&name) || (name == "php" && tag.contains("apache"));
    serves.then_some(80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_stage_says_which_port() {
        for (text, port) in [
            ("FROM debian\nEXPOSE 3000\n", Some(3000)),
            ("FROM debian\nexpose 53/udp 8053/tcp\n", Some(8053)),
            ("FROM node AS build\nEXPOSE 9229\nFROM debian\nEXPOSE 8000\n", Some(8000)),
            ("FROM node AS build\nEXPOSE 9229\nFROM debian\n", None),
            ("FROM debian AS base\nEXPOSE 7000\nFROM --platform=linux/amd64 base\n", Some(7000)),
            ("FROM debian\nEXPOSE $PORT\n", None),
            ("FROM debian\n# EXPOSE 1\n", None),
            ("FROM nginx:alpine\n", Some(80)),
            ("FROM docker.io/library/php:8.3-apache\n", Some(80)),
            ("FROM php:8.3-cli\n", None),
            ("FROM debian\nEXPOSE 0\nEXPOSE 99999\n", None),
            ("", None),
        ] {
            assert_eq!(exposed_port(text), port, "{text:?}");
        }
    }
}
