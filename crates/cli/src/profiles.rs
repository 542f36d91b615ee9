//! The profiles of the AWS configuration, by name alone: to say which there are where one is missing.
//!
//! It never reads what stands in a profile: that is the SDK's.

use std::{collections::BTreeSet, fs, path::PathBuf};

use crate::environment;

/// Where profiles are looked for, and which there are.
#[derive(Debug)]
pub(crate) struct Profiles {
    pub(crate) config: PathBuf,
    pub(crate) credentials: PathBuf,
    pub(crate) names: BTreeSet<String>,
}

impl Profiles {
    /// Looks. A file that cannot be read has none, as for the SDK.
    pub(crate) fn find() -> Self {
        let (config, credentials) = environment::aws_files();
        let read = |path: &PathBuf| fs::read_to_string(path).unwrap_or_default();
        let mut names = of_config(&read(&config));
        names.extend(sections(&read(&credentials)).map(str::to_owned));
        Self {
            config,
            credentials,
            names,
        }
    }
}

/// `[default]` and `[profile NAME]`.
fn of_config(text: &str) -> BTreeSet<String> {
    let name = |section: &str| match section.split_once(char::is_whitespace) {
        Some(("profile", name)) => Some(name.trim().to_owned()),
        None if section == "default" => Some(section.to_owned()),
        _ => None,
    };
    sections(text).filter_map(name).collect()
}

fn sections(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let (section, _) = line.strip_prefix('[')?.split_once(']')?;
        Some(section.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_config_names_profiles_by_a_word_of_their_own() {
        let text = "[default]\nregion = x\n[profile dev]\n[ profile  prod ] # live\n[other]\n[sso-session acme]\n  [profile no]\n";
        let names: Vec<String> = of_config(text).into_iter().collect();
        assert_eq!(names, ["default", "dev", "prod"]);
        assert_eq!(sections("[dev]\n#[x]\n").collect::<Vec<_>>(), ["dev"]);
    }
}
