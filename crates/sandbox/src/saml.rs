//! What IAM looks at in the metadata of a SAML identity provider. Signatures and certificates are not verified.

use jiff::Timestamp;
use roxmltree::{Document, Node};

const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";

/// What metadata say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Metadata {
    /// Until when they are valid, where they say so.
    pub(crate) valid_until: Option<Timestamp>,
}

/// The text is not the metadata of an identity provider.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotMetadata;

/// Reads the metadata of one identity provider: an entity with a name, a descriptor for single sign-on, and a
/// certificate in it.
pub(crate) fn read(text: &str) -> Result<Metadata, NotMetadata> {
    let document = Document::parse(text).map_err(|_| NotMetadata)?;
    let entity = document.root_element();
    let named = entity.attribute("entityID").is_some_and(|id| !id.is_empty());
    let descriptor = child(entity, "IDPSSODescriptor").ok_or(NotMetadata)?;
    let certified = descriptor
        .descendants()
        .any(|node| node.has_tag_name((SIGNATURE, "X509Certificate")) && node.text().is_some_and(is_base64));
    let signs_on = child(descriptor, "SingleSignOnService").is_some();
    if !entity.has_tag_name((METADATA, "EntityDescriptor")) || !named || !certified || !signs_on {
        return Err(NotMetadata);
    }
    let valid_until = match entity.attribute("validUntil") {
        Some(text) => Some(text.parse().map_err(|_| NotMetadata)?),
        None => None,
    };
    Ok(Metadata { valid_until })
}

fn child<'a>(node: Node<'a, 'a>, name: &str) -> Option<Node<'a, 'a>> {
    node.children().find(|child| child.has_tag_name((METADATA, name)))
}

fn is_base64(text: &str) -> bool {
    let compact: String = text.split_whitespace().collect();
    !compact.is_empty() && data_encoding::BASE64.decode(compact.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com" validUntil="2030-01-01T00:00:00Z">
      <md:IDPSSODescriptor><md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>
      <ds:X509Certificate>MAMCAQE=</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
      <md:SingleSignOnService Location="https://idp.example.com/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>"#;

    #[test]
    fn metadata_are_read() {
        let valid_until = "2030-01-01T00:00:00Z".parse().ok();
        assert_eq!(read(GOOD), Ok(Metadata { valid_until }));
    }

    #[test]
    fn what_is_no_metadata_is_refused() {
        for broken in [
            "garbage".to_owned(),
            GOOD.replace("</md:EntityDescriptor>", ""),
            GOOD.replace("SAML:2.0:metadata", "SAML:1.0:metadata"),
            GOOD.replace("entityID", "id"),
            GOOD.replace("IDPSSODescriptor", "SPSSODescriptor"),
            GOOD.replace("MAMCAQE=", "no certificate"),
            GOOD.replace("2030-01-01T00:00:00Z", "soon"),
        ] {
            assert_eq!(read(&broken), Err(NotMetadata), "{broken}");
        }
    }
}
