#pragma once

#include <string>
#include <string_view>

namespace remit {

// The text of an XML element: & < > as entities, '?' for the control bytes that XML 1.0 cannot
// hold.
void append_xml_escaped(std::string& out, std::string_view text);
std::string xml_escaped(std::string_view text);

}  // namespace remit
