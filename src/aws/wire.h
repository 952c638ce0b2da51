#pragma once

// The input of an operation as one tree, whatever protocol carried it: JSON, CBOR, a form (query
// and ec2) or XML. Read strictly: what two readers could read differently (a name twice, a text
// beside its own children, comments in XML, a DOCTYPE) is refused.
//
// Views in the tree point into the bytes that were read, or into the tree's own storage: both must
// outlive it.

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/json.h"

namespace remit::aws {

class Wire {
 public:
  enum class Kind : std::uint8_t { Null, Text, Number, Boolean, Array, Object };

  // Index of a node; kNothing when there is none.
  using Ref = std::uint32_t;
  static constexpr Ref kNothing = 0xFFFFFFFF;

  Wire() = default;
  Wire(Wire&&) noexcept = default;
  Wire& operator=(Wire&&) noexcept = default;

  static Result<Wire> from_json(std::string_view body);
  static Result<Wire> from_cbor(std::string_view body);
  static Result<Wire> from_xml(std::string_view body);
  // Decoded pairs of a form, in any order; each name once.
  struct Pair {
    std::string_view name, value;
  };
  static Result<Wire> from_form(std::vector<Pair> pairs);

  // The whole input; kNothing for an empty tree.
  Ref root() const { return nodes_.empty() ? kNothing : 0; }
  Kind kind(Ref node) const { return nodes_[node].kind; }
  std::string_view name(Ref node) const { return nodes_[node].name; }
  // Of a text, number or boolean (as written); empty for anything else.
  std::string_view text(Ref node) const { return nodes_[node].text; }
  bool is_scalar(Ref node) const {
    return node != kNothing && kind(node) != Kind::Array && kind(node) != Kind::Object;
  }

  // The member of that name, exactly; kNothing when absent, null, or `parent` is kNothing.
  Ref child(Ref parent, std::string_view name) const;
  Ref at(std::initializer_list<std::string_view> path) const;
  std::optional<std::string_view> text_at(Ref parent, std::string_view name) const;

  // The elements of a list, in whichever way the protocol writes one: an array; `X.1`,
  // `X.member.1`, `X.entry.1` of a form; repeated or wrapped elements of XML. A single scalar is a
  // list of one.
  std::vector<Ref> items(Ref parent, std::string_view name) const;
  std::vector<Ref> children(Ref parent) const;

  // Every scalar of the tree: calls `each` with its node.
  template <class Each>
  void scalars(Each each) const {
    for (Ref i = 0; i < nodes_.size(); ++i)
      if (is_scalar(i)) each(i);
  }

 private:
  friend class WireBuilder;
  struct Node {
    std::string_view name;
    std::string_view text;
    Ref next = 0;  // the node after this one and all below it
    Kind kind = Kind::Null;
  };
  enum class Source : std::uint8_t { Json, Form, Xml };

  std::vector<Ref> list_of(Ref node) const;

  std::vector<Node> nodes_;         // in preorder
  std::list<std::string> storage_;  // decoded texts; addresses stay
  std::optional<json::Document> document_;
  Source source_ = Source::Json;
};

// Puts a tree together in preorder: for the readers.
class WireBuilder {
 public:
  Wire::Ref open(Wire::Kind kind, std::string_view name);
  void close(Wire::Ref node);
  void scalar(Wire::Kind kind, std::string_view name, std::string_view text);
  std::string_view keep(std::string text);
  json::Value hold(json::Document document);
  void from_form() { wire_.source_ = Wire::Source::Form; }
  void from_xml() { wire_.source_ = Wire::Source::Xml; }
  std::size_t size() const { return wire_.nodes_.size(); }
  Wire take() && { return std::move(wire_); }

 private:
  Wire wire_;
};

}  // namespace remit::aws
