//! What users and user types have in common, and the small forms that groups share: paths, tags, inline policies, MFA.

use trueup_model::{
    GroupName, InlinePolicyName, Path, PathError, REQUIRE_MFA_POLICY, check_tag_value,
    desired::{AccessKeyRules, AccessKeysWish, AfterExpiry, Expiry, LoginProfileWish, MfaLevel, MfaRequirement},
    document::{DocumentKind, Owner},
    is_reserved_policy_name,
};

use super::{
    keys,
    raw::{RawInline, RawTag, UserSettings},
    walk::{Fields, is_null},
};
use crate::{
    context::{At, Context, Span},
    diagnostic::quoted,
    yaml::{Kind, Node},
};

/// The longest that a grace period can be, in days: a century, to keep dates within their range.
const LONGEST_GRACE: u32 = 36_500;

impl Context<'_> {
    /// What a user or type sets; `of` names it.
    pub(super) fn read_settings(&mut self, fields: &Fields<'_>, of: &str) -> UserSettings {
        let mut settings = UserSettings {
            keys: fields
                .keys()
                .filter(|(key, _)| keys::USER_SETTINGS.contains(key))
                .collect(),
            ..UserSettings::default()
        };
        if let Some(node) = fields.get("path") {
            settings.path = self.read_path(node);
        }
        if let Some(node) = fields.get("tags") {
            settings.tags = self.read_tags(node);
        }
        if let Some(node) = fields.get("groups") {
            settings.groups = self.names::<GroupName>(node, "`groups`");
        }
        if let Some(node) = fields.get("managed_policies") {
            settings.managed_policies = self.read_policy_names(node);
        }
        if let Some(node) = fields.get("inline_policies") {
            settings.inline_policies = self.read_inline_policies(node, Owner::User, of);
        }
        if let Some(node) = fields.get("permissions_boundary") {
            settings.permissions_boundary = self.text_value(node, "`permissions_boundary`");
        }
        if let (Some(node), Some(span)) = (fields.get("login_profile"), fields.key_span("login_profile")) {
            settings.login_profile = self.read_login_profile(node, span);
        }
        if let (Some(node), Some(span)) = (fields.get("access_keys"), fields.key_span("access_keys")) {
            settings.access_keys = self.read_access_keys(node, span);
        }
        if let (Some(node), Some(span)) = (fields.get("mfa"), fields.key_span("mfa")) {
            settings.mfa = self.read_mfa(node, span);
        }
        if let (Some(node), Some(span)) = (fields.get("expires"), fields.key_span("expires")) {
            settings.expires = self.read_expires(node, span);
        }
        if let Some(node) = fields.get("deliver_to") {
            settings.deliver_to = self.read_recipients(node);
        }
        settings
    }

    /// The path of a user or group.
    pub(super) fn read_path(&mut self, node: &Node) -> Option<At<Path>> {
        let text = self.text_value(node, "`path`")?;
        self.checked_path(&text, Path::new(text.value.as_str()))
    }

    pub(super) fn checked_path(&mut self, text: &At<String>, path: Result<Path, PathError>) -> Option<At<Path>> {
        match path {
            Ok(path) => Some(At::new(path, text.span)),
            Err(error) => {
                let is_short = (1..100).contains(&text.value.len());
                let hint = (error == PathError::Slashes && is_short).then(|| {
                    let path = format!("/{}/", text.value.trim_matches('/'));
                    let line = self.corrected_line(text.span, &crate::yaml::write::scalar(&path));
                    format!("did you mean `{line}`?")
                });
                self.error("bad-path", text.span, error.to_string()).maybe_hint(hint);
                None
            }
        }
    }

    pub(super) fn read_tags(&mut self, node: &Node) -> Vec<RawTag> {
        let mut tags = Vec::new();
        for (key, value) in self.entries(node, "`tags`", "tags: {owner: platform}") {
            let valid = self.check_tag(&key);
            let Some(value) = self.text_value(value, &format!("the tag {}", quoted(key.value))) else {
                continue;
            };
            if let Err(error) = check_tag_value(&value.value) {
                self.error("bad-tag", value.span, error.to_string());
            } else if valid {
                tags.push(RawTag {
                    key: At::new(key.value.to_owned(), key.span),
                    value: value.value,
                });
            }
        }
        tags
    }

    /// Names and ARNs of managed policies; what they stand for is resolved later.
    pub(super) fn read_policy_names(&mut self, node: &Node) -> Vec<At<String>> {
        let items = self.list(node, "`managed_policies`").unwrap_or_default();
        items
            .iter()
            .filter_map(|item| self.text_value(item, "an item of `managed_policies`"))
            .collect()
    }

    pub(super) fn read_inline_policies(&mut self, node: &Node, owner: Owner, of: &str) -> Vec<RawInline> {
        let mut found: Vec<RawInline> = Vec::new();
        let example = "inline_policies: {name: {Version: \"2012-10-17\", Statement: []}}";
        for (name, value) in self.named::<InlinePolicyName>(node, "`inline_policies`", example) {
            // IAM takes names that differ in case alone for one and the same.
            if let Some(first) = found.iter().find(|first| first.name.value == name.value) {
                let first = first.name.span;
                self.error(
                    "declared-twice",
                    name.span,
                    format!(
                        "inline policy {} of {of} is declared twice",
                        quoted(name.value.as_str())
                    ),
                )
                .related("first declared here", first)
                .hint("names are the same to IAM if they differ in case alone");
                continue;
            }
            if is_reserved_policy_name(name.value.as_str()) {
                let hint = if name.value.as_str().eq_ignore_ascii_case(REQUIRE_MFA_POLICY) {
                    "say `mfa: enforced`, and trueup keeps it"
                } else {
                    "choose another name"
                };
                let shown = quoted(name.value.as_str());
                self.error(
                    "reserved-name",
                    name.span,
                    format!("{shown} is a name that trueup keeps for itself"),
                )
                .hint(hint);
                continue;
            }
            let what = format!("inline policy {} of {of}", quoted(name.value.as_str()));
            let document = self.read_document(value, &what, DocumentKind::Inline(owner));
            found.push(RawInline { name, document });
        }
        found
    }

    fn read_login_profile(&mut self, node: &Node, owner: Span) -> Option<LoginProfileWish> {
        if matches!(&node.kind, Kind::Mapping(_)) {
            let fields = self.fields(node, "`login_profile`", keys::LOGIN_PROFILE, owner)?;
            let password_reset_required = match fields.get("password_reset_required") {
                Some(node) => self.boolean(node, "`password_reset_required`")?,
                None => true,
            };
            return Some(LoginProfileWish::Present {
                password_reset_required,
            });
        }
        self.none_or(node, "`login_profile`", "login_profile: {}")
            .map(|()| LoginProfileWish::Absent)
    }

    /// `none`, where the other possibility is a mapping.
    fn none_or(&mut self, node: &Node, what: &str, mapping: &str) -> Option<()> {
        if let Kind::Scalar(scalar) = &node.kind
            && scalar.text == "none"
        {
            return Some(());
        }
        let shown = match &node.kind {
            Kind::Scalar(scalar) if is_null(scalar) => {
                self.null(node, what, mapping);
                return None;
            }
            Kind::Scalar(scalar) => quoted(&scalar.text),
            Kind::Broken => return None,
            _ => "a list".to_owned(),
        };
        self.error(
            "bad-value",
            node.span,
            format!("{what} is `none` or a mapping, not {shown}"),
        )
        .hint(format!(
            "write `{mapping}` to have one, `none` to have none, or leave it out to leave it alone"
        ));
        None
    }

    fn read_access_keys(&mut self, node: &Node, owner: Span) -> Option<AccessKeysWish> {
        if !matches!(&node.kind, Kind::Mapping(_)) {
            return self
                .none_or(node, "`access_keys`", "access_keys: {count: 1}")
                .map(|()| AccessKeysWish::Absent);
        }
        let fields = self.fields(node, "`access_keys`", keys::ACCESS_KEYS, owner)?;
        let mut days = |key: &str, range| match fields.get(key) {
            Some(node) => self.integer(node, &format!("`{key}`"), range).map(Some),
            None => Some(None),
        };
        let count = days("count", 1..=2);
        let rotate_after_days = days("rotate_after_days", 1..=3650);
        let overlap_days = days("overlap_days", 0..=365);
        let maximum_unused_days = days("maximum_unused_days", 1..=3650);
        let description = match fields.get("description") {
            Some(node) => Some(self.read_tag_text(node, "`description`")?),
            None => None,
        };
        let rules = AccessKeyRules {
            count: count?.unwrap_or(1),
            rotate_after_days: rotate_after_days?,
            overlap_days: overlap_days?.unwrap_or(AccessKeyRules::OVERLAP_DAYS),
            maximum_unused_days: maximum_unused_days?,
            description,
        };
        if let (Some(rotate), Some(node)) = (rules.rotate_after_days, fields.get("overlap_days"))
            && rules.overlap_days >= rotate
        {
            self.error(
                "out-of-range",
                node.span,
                format!("`overlap_days` is less than `rotate_after_days`, which is {rotate}"),
            )
            .hint("otherwise a key is due before its predecessor is gone");
            return None;
        }
        Some(AccessKeysWish::Present(rules))
    }

    /// A text that is kept as a tag's value.
    fn read_tag_text(&mut self, node: &Node, what: &str) -> Option<String> {
        let text = self.filled_text(node, what)?;
        if let Err(error) = check_tag_value(&text.value) {
            self.error("bad-tag", text.span, format!("{what} is kept in a tag: {error}"));
            return None;
        }
        Some(text.value)
    }

    /// `{request: TICKET-42}`.
    pub(super) fn read_reset(&mut self, node: &Node, owner: Span) -> Option<At<String>> {
        let fields = self.fields(node, "`reset_password`", keys::RESET_PASSWORD, owner)?;
        let node = fields.require(self, "request", "`reset_password`", "request: TICKET-42")?;
        let request = self.read_tag_text(node, "`request`")?;
        Some(At::new(request, owner))
    }

    pub(super) fn read_mfa(&mut self, node: &Node, owner: Span) -> Option<MfaRequirement> {
        let levels = [
            ("exempt", MfaLevel::Exempt),
            ("required", MfaLevel::Required),
            ("enforced", MfaLevel::Enforced),
        ];
        let (level, grace_days) = if matches!(&node.kind, Kind::Mapping(_)) {
            let fields = self.fields(node, "`mfa`", keys::MFA, owner)?;
            let level = fields.require(self, "level", "`mfa`", "level: required")?;
            let grace_days = match fields.get("grace_days") {
                Some(node) => self.integer(node, "`grace_days`", 0..=LONGEST_GRACE)?,
                None => 0,
            };
            (self.word(level, "`level`", &levels)?, grace_days)
        } else {
            (self.word(node, "`mfa`", &levels)?, 0)
        };
        Some(MfaRequirement {
            level: level.value,
            grace_days,
        })
    }

    fn read_expires(&mut self, node: &Node, owner: Span) -> Option<Expiry> {
        if !matches!(&node.kind, Kind::Mapping(_)) {
            let on = self.date(node, "`expires`")?;
            return Some(Expiry {
                on,
                then: AfterExpiry::Disable,
            });
        }
        let fields = self.fields(node, "`expires`", keys::EXPIRES, owner)?;
        let on = fields
            .require(self, "on", "`expires`", "on: 2027-06-30")
            .and_then(|node| self.date(node, "`on`"));
        let then = match fields.get("then") {
            Some(node) => {
                let words = [("disable", AfterExpiry::Disable), ("delete", AfterExpiry::Delete)];
                self.word(node, "`then`", &words)?.value
            }
            None => AfterExpiry::Disable,
        };
        Some(Expiry { on: on?, then })
    }
}
