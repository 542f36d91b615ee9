//! The constraints of the IAM service model on parameters. All violations of a request are reported together, as
//! IAM does. What a value means is the operations' business.

use crate::{errors::ApiError, wire::Request};

/// The constraints on one kind of text.
#[derive(Debug)]
pub(crate) struct Rule {
    min: usize,
    max: usize,
    pattern: &'static str,
    matches: fn(&str) -> bool,
}

const NAME_PATTERN: &str = r"[\w+=,.@-]+";

const fn name(max: usize) -> Rule {
    Rule {
        min: 1,
        max,
        pattern: NAME_PATTERN,
        matches: is_name,
    }
}

/// A user's name at creation or as the target of a rename.
pub(crate) const NEW_USER_NAME: Rule = name(64);
/// A user's name in a lookup.
pub(crate) const USER_NAME: Rule = name(128);
/// A group's name.
pub(crate) const GROUP_NAME: Rule = name(128);
/// A role's name.
pub(crate) const ROLE_NAME: Rule = name(64);
/// The name of a managed or an inline policy.
pub(crate) const POLICY_NAME: Rule = name(128);
/// The name of a virtual MFA device; the model sets no maximum.
pub(crate) const DEVICE_NAME: Rule = name(usize::MAX);
/// The name of an instance profile.
pub(crate) const INSTANCE_PROFILE_NAME: Rule = name(128);
/// The name of a service, in calls on service-linked roles.
pub(crate) const LINKED_SERVICE: Rule = name(128);
/// What sets a service-linked role apart from others of its service.
pub(crate) const CUSTOM_SUFFIX: Rule = name(64);
/// The path of a user, a group or a role.
pub(crate) const PATH: Rule = Rule {
    min: 1,
    max: 512,
    pattern: r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)",
    matches: is_path,
};
/// The path of a virtual MFA device, whose form is another matter: see [`is_path`].
pub(crate) const DEVICE_PATH: Rule = Rule {
    min: 1,
    max: 512,
    pattern: "",
    matches: |_| true,
};
/// The path of a managed policy.
pub(crate) const POLICY_PATH: Rule = Rule {
    min: 1,
    max: 512,
    pattern: r"((/[A-Za-z0-9\.,\+@=_-]+)*)/",
    matches: |text| {
        let allowed =
            |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || ".,+@=_-".contains(c));
        text == "/"
            || text
                .strip_prefix('/')
                .and_then(|rest| rest.strip_suffix('/'))
                .is_some_and(|inner| inner.split('/').all(allowed))
    },
};
/// The prefix of a path in a list filter.
pub(crate) const PATH_PREFIX: Rule = Rule {
    min: 1,
    max: 512,
    pattern: r"\u002F[\u0021-\u007F]*",
    matches: |text| {
        text.strip_prefix('/')
            .is_some_and(|rest| rest.chars().all(|c| is_graphic(c) || c == '\u{7f}'))
    },
};
/// The alias of an account.
pub(crate) const ALIAS: Rule = Rule {
    min: 3,
    max: 63,
    pattern: r"^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$",
    matches: |text| {
        text.bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-')
            && !text.contains("--")
    },
};
/// A console password.
pub(crate) const PASSWORD: Rule = Rule {
    min: 1,
    max: 128,
    pattern: PRINTABLE,
    matches: is_printable,
};
/// A policy document.
pub(crate) const DOCUMENT: Rule = Rule {
    min: 1,
    max: 131_072,
    pattern: PRINTABLE,
    matches: is_printable,
};
/// The key of a tag.
pub(crate) const TAG_KEY: Rule = Rule {
    min: 1,
    max: 128,
    pattern: r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+",
    matches: is_tag_text,
};
/// The value of a tag.
pub(crate) const TAG_VALUE: Rule = Rule {
    min: 0,
    max: 256,
    pattern: r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*",
    matches: is_tag_text,
};
/// The description of a managed policy.
pub(crate) const POLICY_DESCRIPTION: Rule = Rule {
    min: 0,
    max: 1000,
    pattern: "",
    matches: |_| true,
};
/// The description of a role.
pub(crate) const ROLE_DESCRIPTION: Rule = Rule {
    min: 0,
    max: 1000,
    pattern: r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*",
    matches: |text| {
        text.chars()
            .all(|c| is_printable_char(c) && !('\u{7f}'..='\u{a0}').contains(&c))
    },
};
/// The id of a version of a managed policy.
pub(crate) const VERSION_ID: Rule = Rule {
    min: 0,
    max: usize::MAX,
    pattern: r"v[1-9][0-9]*(\.[A-Za-z0-9-]*)?",
    matches: |text| {
        let number = text
            .strip_prefix('v')
            .map(|rest| rest.split_once('.').map_or((rest, ""), |parts| parts));
        number.is_some_and(|(number, suffix)| {
            number.bytes().all(|b| b.is_ascii_digit())
                && number.bytes().next().is_some_and(|first| first != b'0')
                && suffix.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
    },
};
/// An ARN as a parameter.
pub(crate) const ARN: Rule = Rule {
    min: 20,
    max: 2048,
    pattern: "",
    matches: |_| true,
};
/// The serial of an MFA device.
pub(crate) const SERIAL: Rule = Rule {
    min: 9,
    max: 256,
    pattern: r"[\w+=/:,.@-]+",
    matches: |text| text.chars().all(|c| is_name_char(c) || c == '/' || c == ':'),
};
/// A code of an MFA device.
pub(crate) const MFA_CODE: Rule = Rule {
    min: 6,
    max: 6,
    pattern: r"[\d]+",
    matches: |text| text.bytes().all(|b| b.is_ascii_digit()),
};
/// The id of an access key.
pub(crate) const ACCESS_KEY_ID: Rule = Rule {
    min: 16,
    max: 128,
    pattern: r"[\w]+",
    matches: is_word,
};
/// The id of a signing certificate.
pub(crate) const CERTIFICATE_ID: Rule = Rule {
    min: 24,
    max: 128,
    pattern: r"[\w]+",
    matches: is_word,
};
/// The id of an SSH public key or of a service-specific credential.
pub(crate) const CREDENTIAL_ID: Rule = Rule {
    min: 20,
    max: 128,
    pattern: r"[\w]+",
    matches: is_word,
};
/// The body of a certificate or of an SSH public key.
pub(crate) const BODY: Rule = Rule {
    min: 1,
    max: 16_384,
    pattern: PRINTABLE,
    matches: is_printable,
};
/// The id of a task that deletes a service-linked role.
pub(crate) const TASK_ID: Rule = Rule {
    min: 1,
    max: 1000,
    pattern: "",
    matches: |_| true,
};
/// The URL of an OpenID Connect provider.
pub(crate) const OIDC_URL: Rule = Rule {
    min: 1,
    max: 255,
    pattern: "",
    matches: |_| true,
};
/// A client id of an OpenID Connect provider.
pub(crate) const CLIENT_ID: Rule = Rule {
    min: 1,
    max: 255,
    pattern: "",
    matches: |_| true,
};
/// The thumbprint of a certificate.
pub(crate) const THUMBPRINT: Rule = Rule {
    min: 40,
    max: 40,
    pattern: "",
    matches: |_| true,
};
/// The name of a SAML provider.
pub(crate) const SAML_NAME: Rule = Rule {
    min: 1,
    max: 128,
    pattern: r"[\w._-]+",
    matches: |text| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)),
};
/// The metadata of a SAML provider.
pub(crate) const SAML_METADATA: Rule = Rule {
    min: 1000,
    max: 10_000_000,
    pattern: "",
    matches: |_| true,
};
/// The id of a private key of a SAML provider.
pub(crate) const PRIVATE_KEY_ID: Rule = Rule {
    min: 22,
    max: 64,
    pattern: r"[A-Z0-9]+",
    matches: |text| text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()),
};
/// The name of a session.
pub(crate) const SESSION_NAME: Rule = Rule {
    min: 2,
    max: 64,
    pattern: r"[\w+=,.@-]*",
    matches: is_name,
};
/// A policy that limits a session.
pub(crate) const SESSION_POLICY: Rule = Rule {
    min: 1,
    max: 2048,
    pattern: PRINTABLE,
    matches: is_printable,
};
/// What a third party has to know to assume a role.
pub(crate) const EXTERNAL_ID: Rule = Rule {
    min: 2,
    max: 1224,
    pattern: r"[\w+=,.@:\/-]*",
    matches: |text| text.chars().all(|c| is_name_char(c) || c == '/' || c == ':'),
};
/// The name of a service, free text.
pub(crate) const SERVICE_NAME: Rule = Rule {
    min: 0,
    max: usize::MAX,
    pattern: "",
    matches: |_| true,
};
/// The place to go on in a list.
pub(crate) const MARKER: Rule = Rule {
    min: 1,
    max: 320,
    pattern: r"[\u0020-\u00FF]+",
    matches: |text| text.chars().all(|c| ('\u{20}'..='\u{ff}').contains(&c)),
};

const PRINTABLE: &str = r"[\u0009\u000A\u000D\u0020-\u00FF]+";

fn is_graphic(c: char) -> bool {
    ('\u{21}'..='\u{7e}').contains(&c)
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)
}

fn is_name(text: &str) -> bool {
    text.chars().all(is_name_char)
}

/// Whether it is `/`, or begins and ends with one.
pub(crate) fn is_path(text: &str) -> bool {
    let inner = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    text == "/" || inner.is_some_and(|inner| !inner.is_empty() && inner.chars().all(is_graphic))
}

fn is_word(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn is_printable_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}')
}

fn is_printable(text: &str) -> bool {
    text.chars().all(is_printable_char)
}

fn is_tag_text(text: &str) -> bool {
    trueup_model::check_tag_value(text).map_or_else(
        |error| !matches!(error, trueup_model::TagError::Character(_)),
        |()| true,
    )
}

/// The parameters of a request while they are checked. Take what is needed, then call [`Input::check`] before any of
/// it is used: until then a parameter that breaks a rule reads as an empty text.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    request: &'a Request,
    problems: Vec<String>,
}

impl<'a> Input<'a> {
    pub(crate) fn of(request: &'a Request) -> Self {
        Self {
            request,
            problems: Vec::new(),
        }
    }

    pub(crate) fn request(&self) -> &'a Request {
        self.request
    }

    /// Refuses the request where any parameter taken so far broke its rule.
    pub(crate) fn check(&self) -> Result<(), ApiError> {
        let count = self.problems.len();
        if count == 0 {
            return Ok(());
        }
        let plural = if count == 1 { "error" } else { "errors" };
        Err(ApiError::validation(format!(
            "{count} validation {plural} detected: {}",
            self.problems.join("; ")
        )))
    }

    fn problem(&mut self, parameter: &str, constraint: impl std::fmt::Display) {
        // STS was recorded to say what it was given, in July 2025; IAM, which was recorded later, does not.
        let value = match self.request.parameter(parameter) {
            Some(value) if self.request.is_sts() => format!("Value '{value}'"),
            _ => "Value".to_owned(),
        };
        self.problems.push(format!(
            "{value} at '{}' failed to satisfy constraint: Member must {constraint}",
            member_name(parameter)
        ));
    }

    /// A text that has to be there.
    pub(crate) fn required(&mut self, parameter: &str, rule: &Rule) -> String {
        if self.request.parameter(parameter).is_none() {
            self.problem(parameter, "not be null");
        }
        self.optional(parameter, rule).unwrap_or_default()
    }

    /// A text that may be left out.
    pub(crate) fn optional(&mut self, parameter: &str, rule: &Rule) -> Option<String> {
        let text = self.request.parameter(parameter)?;
        self.satisfies(parameter, text, rule).then(|| text.to_owned())
    }

    fn satisfies(&mut self, parameter: &str, text: &str, rule: &Rule) -> bool {
        let before = self.problems.len();
        let length = text.chars().count();
        if length < rule.min {
            self.problem(
                parameter,
                format_args!("have length greater than or equal to {}", rule.min),
            );
        }
        if length > rule.max {
            self.problem(
                parameter,
                format_args!("have length less than or equal to {}", rule.max),
            );
        }
        if !text.is_empty() && !(rule.matches)(text) {
            self.problem(
                parameter,
                format_args!("satisfy regular expression pattern: {}", rule.pattern),
            );
        }
        self.problems.len() == before
    }

    /// One of a set of words.
    pub(crate) fn word(&mut self, parameter: &str, words: &[&'static str]) -> Option<&'static str> {
        let text = self.request.parameter(parameter)?;
        let found = words.iter().copied().find(|word| *word == text);
        if found.is_none() {
            // Which words there are is not said.
            self.problem(parameter, "satisfy enum value set");
        }
        found
    }

    /// One of a set of words that has to be there.
    pub(crate) fn required_word(&mut self, parameter: &str, words: &[&'static str]) -> &'static str {
        if self.request.parameter(parameter).is_none() {
            self.problem(parameter, "not be null");
        }
        self.word(parameter, words).unwrap_or_default()
    }

    /// Each member of a list is one of a set of words.
    pub(crate) fn words(&mut self, parameter: &str, words: &[&'static str]) -> Vec<&'static str> {
        let members = self.request.list(parameter).unwrap_or_default();
        let mut found = Vec::new();
        for member in members {
            match words.iter().copied().find(|word| *word == member) {
                Some(word) => found.push(word),
                None => self.problem(parameter, "satisfy constraint: [Member must satisfy enum value set]"),
            }
        }
        found
    }

    /// A list of texts that each obey a rule; `None` where the request has none.
    pub(crate) fn texts(&mut self, parameter: &str, rule: &Rule) -> Option<Vec<String>> {
        let members = self.request.list(parameter)?;
        let length = |text: &str| (rule.min..=rule.max).contains(&text.chars().count());
        if !members.iter().all(|text| length(text) && (rule.matches)(text)) {
            // Members of a plain list are not told apart.
            let mut problem = format!(
                "satisfy constraint: [Member must have length less than or equal to {}, Member must have length greater than or \
                 equal to {}",
                rule.max, rule.min
            );
            if !rule.pattern.is_empty() {
                problem += &format!(", Member must satisfy regular expression pattern: {}", rule.pattern);
            }
            self.problem(parameter, problem + "]");
        }
        Some(members.into_iter().map(str::to_owned).collect())
    }

    /// The same where there has to be a list, if only an empty one.
    pub(crate) fn required_texts(&mut self, parameter: &str, rule: &Rule) -> Vec<String> {
        if self.request.list(parameter).is_none() {
            self.problem(parameter, "not be null");
        }
        self.texts(parameter, rule).unwrap_or_default()
    }

    /// A flag.
    pub(crate) fn flag(&mut self, parameter: &str) -> Option<bool> {
        match self.request.parameter(parameter)? {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                self.problem(parameter, "be a boolean");
                None
            }
        }
    }

    /// A whole number from `min` to `max`.
    pub(crate) fn number(&mut self, parameter: &str, min: i64, max: i64) -> Option<i64> {
        let Ok(number) = self.request.parameter(parameter)?.parse::<i64>() else {
            self.problem(parameter, "be an integer");
            return None;
        };
        if number < min {
            self.problem(parameter, format_args!("have value greater than or equal to {min}"));
            return None;
        }
        if number > max {
            self.problem(parameter, format_args!("have value less than or equal to {max}"));
            return None;
        }
        Some(number)
    }

    /// The `Tags` of a request, at most 50; `None` where the request has none.
    pub(crate) fn tags(&mut self) -> Option<Vec<(String, String)>> {
        let has = |index: usize, field: &str| self.request.parameter(&format!("Tags.member.{index}.{field}"));
        let count = (1..)
            .take_while(|index| has(*index, "Key").or(has(*index, "Value")).is_some())
            .count();
        if count == 0 {
            return self.request.parameters.contains_key("Tags").then(Vec::new);
        }
        if count > 50 {
            self.problem("Tags", "have length less than or equal to 50");
        }
        let tags = (1..=count).map(|index| {
            (
                self.required(&format!("Tags.member.{index}.Key"), &TAG_KEY),
                self.required(&format!("Tags.member.{index}.Value"), &TAG_VALUE),
            )
        });
        Some(tags.collect())
    }

    /// The `Tags` of a request where they have to be there.
    pub(crate) fn required_tags(&mut self) -> Vec<(String, String)> {
        let tags = self.tags();
        if tags.is_none() {
            self.problem("Tags", "not be null");
        }
        tags.unwrap_or_default()
    }

    /// The `PathPrefix` of a list; by default everything.
    pub(crate) fn path_prefix(&mut self) -> String {
        self.optional("PathPrefix", &PATH_PREFIX)
            .unwrap_or_else(|| "/".to_owned())
    }

    /// The `TagKeys` of a request, which have to be there but may be none.
    pub(crate) fn tag_keys(&mut self) -> Vec<String> {
        let Some(keys) = self.request.list("TagKeys") else {
            self.problem("TagKeys", "not be null");
            return Vec::new();
        };
        if keys.len() > 50 {
            self.problem("TagKeys", "have length less than or equal to 50");
        }
        let length = |key: &str| (TAG_KEY.min..=TAG_KEY.max).contains(&key.chars().count());
        if !keys.iter().all(|key| length(key) && (TAG_KEY.matches)(key)) {
            // Members of a plain list are not told apart.
            let problem = format!(
                "satisfy constraint: [Member must have length less than or equal to {}, Member must have length greater than or \
                 equal to {}, Member must satisfy regular expression pattern: {}, Member must not be null]",
                TAG_KEY.max, TAG_KEY.min, TAG_KEY.pattern
            );
            self.problem("TagKeys", problem);
        }
        keys.into_iter().map(str::to_owned).collect()
    }
}

/// `UserName` as IAM names it in messages, `userName`, and `Tags.member.1.Key`, `tags.1.member.key`.
fn member_name(parameter: &str) -> String {
    let lower = |part: &str| {
        let mut chars = part.chars();
        let first = chars.next().map(|first| first.to_ascii_lowercase().to_string());
        first.unwrap_or_default() + chars.as_str()
    };
    match parameter.split('.').collect::<Vec<_>>()[..] {
        [list, "member", index, field] => format!("{}.{index}.member.{}", lower(list), lower(field)),
        _ => lower(parameter),
    }
}
