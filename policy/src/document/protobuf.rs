//! The binary form of `google.protobuf.Struct` → [`Tree`].

use prost::Message;
use prost_types::value::Kind;
use prost_types::{Struct, Value};

use super::Tree;

/// Reads the message; prost bounds its depth at 100.
pub(super) fn parse(document: &[u8]) -> Option<Tree> {
    Struct::decode(document).ok().map(map)
}

fn map(message: Struct) -> Tree {
    Tree::Map(message.fields.into_iter().map(|(key, item)| (key, value(item))).collect())
}

fn value(message: Value) -> Tree {
    match message.kind {
        None | Some(Kind::NullValue(_)) => Tree::Null,
        Some(Kind::BoolValue(flag)) => Tree::Flag(flag),
        Some(Kind::NumberValue(number)) => Tree::Number(number),
        Some(Kind::StringValue(text)) => Tree::Text(text),
        Some(Kind::ListValue(list)) => Tree::List(list.values.into_iter().map(value).collect()),
        Some(Kind::StructValue(message)) => map(message),
    }
}
