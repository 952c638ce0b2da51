#pragma once

// Revisions of MCP that are opened with a handshake, newest last. 2026-07-28 has no handshake: it
// will be an Era of its own (era.h), not one more entry here.
// https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle

#include <cstdint>
#include <optional>
#include <string_view>

namespace remit::mcp {

enum class Revision : std::uint8_t { R2024_11_05, R2025_03_26, R2025_06_18, R2025_11_25 };

inline constexpr Revision kNewest = Revision::R2025_11_25;

std::string_view name_of(Revision revision);
std::optional<Revision> parse_revision(std::string_view name);

// What a server answers to the revision a client asked for: the same if we know it, else our
// newest.
Revision negotiate(std::string_view asked);

}  // namespace remit::mcp
