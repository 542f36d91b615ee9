//! Where in the manifest a remark stands: beside what it is about, where that is known.

use trueup_model::Resource;

/// A line of a file of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Relative to the root of the repository.
    pub file: String,
    /// From 1.
    pub line: usize,
}

/// The line of the first of these that has one; else that of the scope that lets the first of them be touched, and at
/// last the root file of the manifest. `place_of` tells where something is declared.
pub(crate) fn place<'a>(
    about: impl IntoIterator<Item = &'a Resource>,
    place_of: &impl Fn(&Resource) -> Option<Position>,
) -> Option<Position> {
    let about: Vec<&Resource> = about.into_iter().collect();
    let scope = || {
        let kind = match about.iter().find(|one| !one.is_of_manifest())?.entity().kind() {
            "user" => "users",
            "group" => "groups",
            "policy" => "policies",
            _ => return None,
        };
        place_of(&Resource::manifest_key(&format!("scope.{kind}")))
    };
    about
        .iter()
        .find_map(|resource| place_of(resource))
        .or_else(scope)
        .or_else(|| place_of(&Resource::manifest()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_declared_nowhere_stands_beside_its_scope_or_at_the_top() {
        let resource = |name: &str| serde_json::from_value::<Resource>(name.into()).unwrap();
        let at = |line: usize| {
            Some(Position {
                file: "iam.yaml".to_owned(),
                line,
            })
        };
        let place_of = |resource: &Resource| match resource.as_str() {
            "manifest" => at(1),
            "manifest/scope.users" => at(4),
            "group/ops" => at(9),
            _ => None,
        };
        let both = [resource("user/eve"), resource("group/ops")];
        assert_eq!(place(&both, &place_of), at(9));
        assert_eq!(place(&both[..1], &place_of), at(4));
        assert_eq!(place(&[resource("policy/x")], &place_of), at(1));
        assert_eq!(place(&[resource("account/alias")], &place_of), at(1));
        assert_eq!(place(&[], &place_of), at(1));
        assert_eq!(place(&both, &|_: &Resource| None), None);
    }
}
