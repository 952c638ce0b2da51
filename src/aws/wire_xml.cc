#include <cstring>
#include <pugixml.hpp>

#include "aws/wire.h"
#include "base/encoding.h"

namespace remit::aws {
namespace {

constexpr std::size_t kMaxElementDepth = 64;

std::unexpected<Error> bad_xml(std::string reason) {
  return fail(ErrorCode::InvalidInput, "the body's XML " + std::move(reason));
}

Result<void> add(WireBuilder& builder, const pugi::xml_node& element, std::size_t depth) {
  if (depth > kMaxElementDepth)
    return fail(ErrorCode::LimitExceeded, "the body's XML is nested too deeply");
  const std::string_view name = builder.keep(element.name());
  // A prefix would hide a member from whoever compares plain names.
  if (name.contains(':')) return bad_xml("has a name with a prefix: " + std::string(name));
  const char* text = nullptr;
  bool elements = false;
  for (const pugi::xml_node& below : element.children()) {
    switch (below.type()) {
      case pugi::node_element:
        elements = true;
        break;
      case pugi::node_pcdata:
      case pugi::node_cdata:
        if (below.type() == pugi::node_pcdata && elements && trim_ascii(below.value()).empty())
          break;
        if (text != nullptr) return bad_xml("has a text in pieces");
        text = below.value();
        break;
      default:
        return bad_xml("has a comment or instruction inside");
    }
  }
  if (!elements) {
    builder.scalar(Wire::Kind::Text, name, builder.keep(text == nullptr ? "" : text));
    return {};
  }
  if (text != nullptr && !trim_ascii(text).empty()) return bad_xml("mixes text and elements");
  const Wire::Ref node = builder.open(Wire::Kind::Object, name);
  for (const pugi::xml_node& below : element.children())
    if (below.type() == pugi::node_element) REMIT_CHECKED(add(builder, below, depth + 1));
  builder.close(node);
  return {};
}

}  // namespace

Result<Wire> Wire::from_xml(std::string_view body) {
  WireBuilder builder;
  builder.from_xml();
  if (trim_ascii(body).empty()) return std::move(builder).take();
  if (body.contains('\0')) return bad_xml("holds a zero byte");
  pugi::xml_document document;
  constexpr unsigned kFlags = pugi::parse_cdata | pugi::parse_escapes | pugi::parse_eol |
                              pugi::parse_comments | pugi::parse_pi | pugi::parse_doctype |
                              pugi::parse_declaration | pugi::parse_ws_pcdata_single |
                              pugi::parse_wconv_attribute;
  const auto parsed = document.load_buffer(body.data(), body.size(), kFlags, pugi::encoding_utf8);
  if (!parsed) return bad_xml(std::string("cannot be read: ") + parsed.description());
  pugi::xml_node top;
  for (const pugi::xml_node& node : document.children()) {
    if (node.type() == pugi::node_declaration) {
      const std::string encoding = lower_ascii(node.attribute("encoding").value());
      if (!encoding.empty() && encoding != "utf-8") return bad_xml("is not in UTF-8");
    } else if (node.type() == pugi::node_element && top.empty()) {
      top = node;
    } else {
      return bad_xml("has a document type, a comment or a second root");
    }
  }
  if (top.empty()) return bad_xml("has no element");
  REMIT_CHECKED(add(builder, top, 0));
  return std::move(builder).take();
}

}  // namespace remit::aws
