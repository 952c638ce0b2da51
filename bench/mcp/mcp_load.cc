// A stdio MCP echo server, and a load client for one: what bench/mcp/run measures `remit gateway`
// with, beside a direct connection.
//
//   mcp_load echo                                serve the tool `echo` on standard input and output
//   mcp_load load [-n CALLS] [-c FLIGHT] -- CMD  start CMD, call `echo`, print latencies as JSON
//   mcp_load first -- CMD                        time from start to the answer of `initialize` and
//                                                to that of `tools/list`, which waits for the
//                                                upstream's process; the memory of CMD after the
//                                                one and of its first child after the other
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kInitialize =
    R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"load","version":"1"}}})";

int echo() {
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto message = nlohmann::json::parse(line);
    if (!message.contains("id")) continue;
    nlohmann::json answer = {{"jsonrpc", "2.0"}, {"id", message["id"]}};
    const std::string method = message.value("method", "");
    if (method == "initialize") {
      answer["result"] = {{"protocolVersion", message["params"]["protocolVersion"]},
                          {"capabilities", {{"tools", nlohmann::json::object()}}},
                          {"serverInfo", {{"name", "echo"}, {"version", "1"}}}};
    } else if (method == "tools/list") {
      answer["result"] = {{"tools",
                           {{{"name", "echo"},
                             {"description", "Returns its arguments"},
                             {"inputSchema", {{"type", "object"}}}}}}};
    } else if (method == "tools/call") {
      answer["result"] = {
          {"content",
           {{{"type", "text"},
             {"text", message["params"].value("arguments", nlohmann::json()).dump()}}}}};
    } else {
      answer["result"] = nlohmann::json::object();
    }
    std::cout << answer.dump() << '\n' << std::flush;
  }
  return 0;
}

struct Child {
  pid_t pid = -1;
  int to = -1;
  int from = -1;
  std::string buffer;

  explicit Child(char** command) {
    int in[2];
    int out[2];
    if (pipe(in) != 0 || pipe(out) != 0) std::exit(2);
    pid = fork();
    if (pid == 0) {
      dup2(in[0], 0);
      dup2(out[1], 1);
      for (const int fd : {in[0], in[1], out[0], out[1]}) close(fd);
      execvp(command[0], command);
      std::perror(command[0]);
      _exit(127);
    }
    close(in[0]);
    close(out[1]);
    to = in[1];
    from = out[0];
  }

  void send(std::string_view line) const {
    std::string bytes(line);
    bytes.push_back('\n');
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t n = write(to, bytes.data() + done, bytes.size() - done);
      if (n <= 0) {
        std::fprintf(stderr, "mcp_load: the server is gone\n");
        std::exit(1);
      }
      done += static_cast<std::size_t>(n);
    }
  }

  std::string receive() {
    for (;;) {
      if (const auto end = buffer.find('\n'); end != std::string::npos) {
        std::string line = buffer.substr(0, end);
        buffer.erase(0, end + 1);
        return line;
      }
      char bytes[65536];
      const ssize_t n = read(from, bytes, sizeof bytes);
      if (n <= 0) {
        std::fprintf(stderr, "mcp_load: the server is gone\n");
        std::exit(1);
      }
      buffer.append(bytes, static_cast<std::size_t>(n));
    }
  }

  void stop() const {
    close(to);
    int status = 0;
    waitpid(pid, &status, 0);
  }
};

double milliseconds(Clock::duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}

std::string call(int id) {
  return fmt::format(
      R"({{"jsonrpc":"2.0","id":{},"method":"tools/call","params":{{"name":"echo","arguments":{{"text":"hello"}}}}}})",
      id);
}

// The id of an answer, read as text: parsing whole answers would measure this client.
int id_of(const std::string& line) {
  const auto at = line.find("\"id\":");
  return at == std::string::npos ? -1 : std::atoi(line.c_str() + at + 5);
}

int load(char** command, int calls, int in_flight) {
  Child server(command);
  server.send(kInitialize);
  server.receive();
  server.send(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  server.send(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})");
  while (id_of(server.receive()) != 1) {
  }
  int next = 2;
  int errors = 0;
  const auto run = [&](int count, std::vector<double>* times) {
    std::unordered_map<int, Clock::time_point> open;
    int sent = 0;
    int answered = 0;
    while (answered < count) {
      while (sent < count && static_cast<int>(open.size()) < in_flight) {
        open.emplace(next, Clock::now());
        server.send(call(next++));
        ++sent;
      }
      const std::string line = server.receive();
      const auto found = open.find(id_of(line));
      if (found == open.end()) continue;  // a notification
      if (times != nullptr) times->push_back(milliseconds(Clock::now() - found->second));
      if (line.contains("\"isError\":true") || line.contains("\"error\":{")) {
        if (errors++ == 0) std::fprintf(stderr, "mcp_load: %s\n", line.c_str());
      }
      open.erase(found);
      ++answered;
    }
  };
  run(std::max(200, in_flight * 4), nullptr);
  std::vector<double> times;
  const auto start = Clock::now();
  run(calls, &times);
  const double seconds = milliseconds(Clock::now() - start) / 1000;
  server.stop();
  std::ranges::sort(times);
  const auto quantile = [&](double f) {
    return times[std::min(times.size() - 1,
                          static_cast<std::size_t>(f * static_cast<double>(times.size())))];
  };
  fmt::print(
      R"({{"in_flight":{},"calls":{},"errors":{},"median_ms":{:.4f},"p99_ms":{:.4f},"calls_per_s":{:.0f}}})"
      "\n",
      in_flight, calls, errors, quantile(0.5), quantile(0.99), calls / seconds);
  return errors == 0 ? 0 : 1;
}

// Of all that a process has in memory: "Rss 580, private 576 (anonymous 64) kB".
std::string memory(int pid) {
  std::unordered_map<std::string, int> sizes;
  std::ifstream rollup(fmt::format("/proc/{}/smaps_rollup", pid));
  for (std::string line; std::getline(rollup, line);) {
    const auto colon = line.find(':');
    if (colon != std::string::npos) sizes[line.substr(0, colon)] = std::atoi(&line[colon + 1]);
  }
  return fmt::format("Rss {}, private {} (anonymous {}) kB", sizes["Rss"],
                     sizes["Private_Clean"] + sizes["Private_Dirty"], sizes["Anonymous"]);
}

int first(char** command) {
  std::vector<double> times;
  std::vector<double> tools;
  std::string resident;
  std::string child_memory;
  for (int round = 0; round < 10; ++round) {
    const auto start = Clock::now();
    Child server(command);
    server.send(kInitialize);
    server.receive();
    times.push_back(milliseconds(Clock::now() - start));
    std::ifstream status(fmt::format("/proc/{}/status", server.pid));
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmRSS:")) resident = line.substr(6);
    }
    server.send(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
    server.send(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})");
    while (id_of(server.receive()) != 1) {
    }
    tools.push_back(milliseconds(Clock::now() - start));
    std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", server.pid));
    if (int child = 0; children >> child) child_memory = memory(child);
    server.stop();
  }
  std::ranges::sort(times);
  std::ranges::sort(tools);
  resident.erase(0, resident.find_first_not_of(" \t"));
  fmt::print(R"({{"first_answer_median_ms":{:.2f},"max_ms":{:.2f},"resident":"{}",)"
             R"("tools_median_ms":{:.2f},"tools_max_ms":{:.2f},"first_child":"{}"}})"
             "\n",
             times[times.size() / 2], times.back(), resident, tools[tools.size() / 2], tools.back(),
             child_memory);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "echo") return echo();
  int calls = 5000;
  int in_flight = 1;
  int i = 2;
  for (; i < argc && std::string_view(argv[i]) != "--"; i += 2) {
    if (i + 1 >= argc) return 2;
    if (std::string_view(argv[i]) == "-n") calls = std::atoi(argv[i + 1]);
    if (std::string_view(argv[i]) == "-c") in_flight = std::atoi(argv[i + 1]);
  }
  if (i + 1 >= argc || (mode != "load" && mode != "first")) {
    std::fprintf(stderr,
                 "mcp_load: use `echo`, `load [-n CALLS] [-c FLIGHT] -- CMD` or `first -- CMD`\n");
    return 2;
  }
  return mode == "load" ? load(argv + i + 1, calls, in_flight) : first(argv + i + 1);
}
