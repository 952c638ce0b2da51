#include "aws/base_credentials.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "aws/credential_answer.h"
#include "aws/credential_sources.h"
#include "aws/sts.h"
#include "base/scrub.h"

namespace remit::aws {

namespace {

constexpr std::chrono::milliseconds kProcessLimit{60'000};
constexpr std::size_t kMaxSourceProfiles = 8;

std::unexpected<Error> misconfigured(std::string message) {
  return fail(ErrorCode::InvalidInput, std::move(message));
}

std::string described(const Profile& profile) { return "profile \"" + profile.name + "\""; }

// Which of several ways a profile has to give credentials, in botocore's order.
enum class Way : std::uint8_t { None, Role, Sso, Static, Login, Process };

Way way_of(const Profile& profile) {
  const auto has = [&profile](std::string_view key) { return profile.find(key) != nullptr; };
  if (has("role_arn") || has("web_identity_token_file")) return Way::Role;
  if (has("sso_session") || has("sso_start_url") || has("sso_account_id")) return Way::Sso;
  if (has("aws_access_key_id") || has("aws_secret_access_key")) return Way::Static;
  if (has("login_session")) return Way::Login;
  if (has("credential_process")) return Way::Process;
  return Way::None;
}

std::unexpected<Error> not_supported(const Profile& profile, std::string_view key) {
  const Setting& setting = *profile.find(key);
  return misconfigured(
      setting.where + ": " + std::string(key) +
      " is not supported; in another profile write `credential_process = aws configure "
      "export-credentials --profile " +
      profile.name + " --format process` and name that profile");
}

std::string text_or(const Profile& profile, std::string_view key, std::string_view otherwise) {
  const Setting* setting = profile.find(key);
  return std::string(setting == nullptr ? otherwise : setting->value);
}

Result<Found> static_keys(const Profile& profile) {
  const Setting* id = profile.find("aws_access_key_id");
  const Setting* secret = profile.find("aws_secret_access_key");
  if (id == nullptr || secret == nullptr || id->value.empty() || secret->value.empty()) {
    return misconfigured((id != nullptr ? id : secret)->where + ": " + described(profile) +
                         " does not have both aws_access_key_id and aws_secret_access_key");
  }
  Credentials credentials;
  credentials.access_key_id = id->value;
  credentials.secret_access_key = Secret(secret->value);
  if (const Setting* token = profile.find("aws_session_token"); token != nullptr) {
    credentials.session_token = Secret(token->value);
  }
  credentials.account_id = text_or(profile, "aws_account_id", "");
  return Found{std::move(credentials), described(profile) + " (keys at " + id->where + ")"};
}

Result<std::chrono::seconds> duration_of(const Profile& profile) {
  const Setting* setting = profile.find("duration_seconds");
  if (setting == nullptr) return std::chrono::seconds(0);
  int value = 0;
  const char* end = setting->value.data() + setting->value.size();
  const auto [stop, error] = std::from_chars(setting->value.data(), end, value);
  if (error != std::errc() || stop != end || value <= 0) {
    return misconfigured(setting->where + ": duration_seconds is not a number of seconds");
  }
  return std::chrono::seconds(value);
}

// Finds credentials once. Lives as long as one look-up; the caller awaits it.
class Finder {
 public:
  Finder(const Machine& machine, const BaseOptions& options)
      : machine_(machine), options_(options) {}

  net::Task<Result<Found>> find() {
    switch (options_.from) {
      case BaseOptions::From::Environment:
        co_return need(from_environment(machine_), "the environment has no AWS_ACCESS_KEY_ID");
      case BaseOptions::From::Container:
        if (!container_configured(machine_)) {
          co_return misconfigured("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI is not set");
        }
        co_return co_await from_container(machine_);
      case BaseOptions::From::Instance: {
        auto found = co_await from_instance(machine_);
        co_return need(std::move(found), "the instance metadata service does not answer");
      }
      case BaseOptions::From::Chain:
        break;
    }
    co_return co_await chain();
  }

 private:
  static Result<Found> need(Result<Found> found, std::string_view otherwise) {
    if (found && !found->credentials) return misconfigured(std::string(otherwise));
    return found;
  }

  std::string variable(std::string_view name) const {
    return machine_.environment(name).value_or("");
  }

  net::Task<Result<Found>> chain() {
    const bool named = !options_.profile.empty();
    if (!named) {
      auto found = from_environment(machine_);
      if (!found || found->credentials) co_return std::move(found);
    }
    auto files = read_profile_files(machine_);
    if (!files) co_return std::unexpected(std::move(files).error());
    files_ = std::move(*files);
    const std::string from_variable = variable("AWS_PROFILE");
    const std::string name = named                    ? options_.profile
                             : !from_variable.empty() ? from_variable
                                                      : "default";
    const std::optional<Profile> profile = files_.profile(name);
    const bool chosen = named || !from_variable.empty();
    if (!profile && chosen) co_return no_such_profile(name);
    const Way way = profile ? way_of(*profile) : Way::None;
    if (chosen && way == Way::None) {
      co_return misconfigured(described(*profile) + " says nothing of credentials (" +
                              profile_file_names(machine_) + ")");
    }
    if (!named && way != Way::Role) {
      auto found = co_await web_identity_of_environment();
      if (!found || found->credentials) co_return std::move(found);
    }
    if (way != Way::None) {
      std::vector<std::string> path;
      co_return co_await of_profile(*profile, std::move(path));
    }
    if (container_configured(machine_)) co_return co_await from_container(machine_);
    auto found = co_await from_instance(machine_);
    if (!found || found->credentials) co_return std::move(found);
    co_return misconfigured(
        "no credentials found: the environment has none, profile \"default\" is not in " +
        profile_file_names(machine_) +
        ", no web identity and no container endpoint is configured, and no instance "
        "metadata service answers");
  }

  std::unexpected<Error> no_such_profile(const std::string& name) const {
    const std::string known = files_.names();
    return misconfigured("there is no profile \"" + name + "\" in " + profile_file_names(machine_) +
                         (known.empty() ? "" : "; there are: " + known));
  }

  net::Task<Result<Found>> web_identity_of_environment() {
    const std::string file = variable("AWS_WEB_IDENTITY_TOKEN_FILE");
    if (file.empty()) co_return Found{};
    const std::string role = variable("AWS_ROLE_ARN");
    if (role.empty()) {
      co_return misconfigured("AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not");
    }
    co_return co_await from_web_identity(machine_, options_, file, role,
                                         variable("AWS_ROLE_SESSION_NAME"),
                                         "web identity of the environment");
  }

  // `path`: the profiles that led here by source_profile.
  net::Task<Result<Found>> of_profile(Profile profile, std::vector<std::string> path) {
    switch (way_of(profile)) {
      case Way::Role:
        co_return co_await of_role(std::move(profile), std::move(path));
      case Way::Sso:
        for (const std::string_view key : {"sso_session", "sso_start_url", "sso_account_id"}) {
          if (profile.find(key) != nullptr) co_return not_supported(profile, key);
        }
        break;
      case Way::Static:
        co_return static_keys(profile);
      case Way::Login:
        co_return not_supported(profile, "login_session");
      case Way::Process:
        co_return co_await of_process(std::move(profile));
      case Way::None:
        break;
    }
    co_return misconfigured(described(profile) + " says nothing of credentials");
  }

  net::Task<Result<Found>> of_process(Profile profile) {
    const Setting setting = *profile.find("credential_process");
    const std::string where = setting.where + ": credential_process";
    auto argv = split_command(setting.value);
    if (!argv) co_return wrap(where, std::move(argv).error());
    auto output = co_await machine_.processes->run(*std::move(argv), kProcessLimit);
    if (!output) co_return wrap(where, std::move(output).error());
    if (output->exit_code != 0) {
      scrub(output->out);
      co_return misconfigured(where + ": the program ended with " +
                              std::to_string(output->exit_code) + first_line(output->err));
    }
    auto credentials = read_process_answer(std::move(output->out));
    if (!credentials) co_return wrap(where, std::move(credentials).error());
    Found found{std::move(*credentials),
                described(profile) + " (credential_process at " + setting.where + ")"};
    co_return std::move(found);
  }

  static std::string first_line(std::string_view text) {
    std::string line(text.substr(0, std::min<std::size_t>(text.find('\n'), 200)));
    std::erase_if(line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
    return line.empty() ? "" : " and said: " + line;
  }

  net::Task<Result<Found>> of_role(Profile profile, std::vector<std::string> path) {
    const Setting* role = profile.find("role_arn");
    const Setting* token_file = profile.find("web_identity_token_file");
    if (role == nullptr) {
      co_return misconfigured(token_file->where + ": web_identity_token_file without role_arn");
    }
    const std::string where = role->where + ": " + described(profile);
    if (token_file != nullptr) {
      co_return co_await from_web_identity(machine_, options_, std::string(token_file->value),
                                           std::string(role->value),
                                           text_or(profile, "role_session_name", ""), where);
    }
    if (const Setting* mfa = profile.find("mfa_serial"); mfa != nullptr) {
      co_return misconfigured(mfa->where +
                              ": mfa_serial needs a code from a person; use a profile whose "
                              "credential_process asks for it, or a role without MFA");
    }
    path.push_back(profile.name);
    auto base = co_await source_of(profile, std::move(path));
    if (!base) co_return std::unexpected(std::move(base).error());
    co_return co_await assume(std::move(profile), std::move(*base));
  }

  // The credentials that assume the role of `profile`.
  net::Task<Result<Found>> source_of(Profile profile, std::vector<std::string> path) {
    const Setting* from_profile = profile.find("source_profile");
    const Setting* from_source = profile.find("credential_source");
    const std::string where = profile.find("role_arn")->where + ": " + described(profile);
    if ((from_profile == nullptr) == (from_source == nullptr)) {
      co_return misconfigured(where + " has " + (from_profile == nullptr ? "neither" : "both") +
                              " source_profile and credential_source");
    }
    if (from_source != nullptr) co_return co_await of_source(*from_source);
    const std::string name(from_profile->value);
    const std::optional<Profile> source = files_.profile(name);
    if (!source) {
      co_return misconfigured(from_profile->where + ": there is no source_profile \"" + name +
                              "\"");
    }
    // A profile may be its own source when it has keys.
    if (name == profile.name) {
      if (profile.find("aws_access_key_id") == nullptr) {
        co_return misconfigured(from_profile->where +
                                ": the profile is its own source_profile, without keys");
      }
      co_return static_keys(*source);
    }
    if (std::ranges::find(path, name) != path.end() || path.size() >= kMaxSourceProfiles) {
      co_return misconfigured(from_profile->where + ": source_profile leads back to \"" + name +
                              "\", or is too long a way");
    }
    co_return co_await of_profile(*source, std::move(path));
  }

  net::Task<Result<Found>> of_source(Setting setting) {
    const std::string where = setting.where + ": credential_source ";
    if (setting.value == "Environment") {
      co_return need(from_environment(machine_),
                     where + "Environment: AWS_ACCESS_KEY_ID is not set");
    }
    if (setting.value == "EcsContainer") {
      if (!container_configured(machine_)) {
        co_return misconfigured(where + "EcsContainer: no container endpoint is configured");
      }
      co_return co_await from_container(machine_);
    }
    if (setting.value == "Ec2InstanceMetadata") {
      auto found = co_await from_instance(machine_);
      co_return need(std::move(found), where + "Ec2InstanceMetadata: no metadata service answers");
    }
    co_return misconfigured(where + "is not Environment, EcsContainer or Ec2InstanceMetadata");
  }

  net::Task<Result<Found>> assume(Profile profile, Found base) {
    const std::string where = profile.find("role_arn")->where + ": " + described(profile);
    AssumeRoleRequest request;
    request.role_arn = text_or(profile, "role_arn", "");
    request.session_name = text_or(profile, "role_session_name", "remit-base");
    request.external_id = text_or(profile, "external_id", "");
    REMIT_CO_TRY(request.duration, duration_of(profile));
    StsOptions sts_options;
    sts_options.region = options_.region;
    sts_options.endpoint = options_.sts_endpoint;
    StsClient sts(*machine_.http, *machine_.clock, *machine_.random, *machine_.log, sts_options);
    auto role = co_await sts.assume_role(*base.credentials, std::move(request));
    if (!role) co_return wrap(where, std::move(role).error());
    Found found{std::move(role->credentials), where + ", from " + base.source};
    co_return std::move(found);
  }

  const Machine& machine_;
  const BaseOptions& options_;
  ProfileFiles files_;
};

}  // namespace

struct BaseCredentials::State {
  using Answer = Result<std::shared_ptr<const Credentials>>;
  // One renewal. Who waits for it gets its own answer, whatever forget() did in the meantime.
  struct Flight {
    explicit Flight(net::Loop& loop) : done(loop) {}
    net::Event done;
    Answer answer = fail(ErrorCode::Unavailable, "looking for the base credentials was cut off");
  };

  Machine machine;
  BaseOptions options;
  std::string source;
  std::shared_ptr<const Credentials> current;
  TimePoint renew_at{};
  std::shared_ptr<Flight> in_flight;

  void keep(Found found);
  Answer on_failure(Error error);
  net::Task<Answer> renew();
};

void BaseCredentials::State::keep(Found found) {
  const TimePoint now = machine.clock->now();
  source = std::move(found.source);
  current = std::make_shared<const Credentials>(std::move(*found.credentials));
  renew_at = TimePoint::max();
  if (!current->expiration) return;
  const auto life = *current->expiration - now;
  const TimePoint at_eighty_percent = now + life / 5 * 4;
  const TimePoint five_minutes_before = *current->expiration - std::chrono::minutes(5);
  // Credentials that live for less than some minutes would be renewed at once, and always.
  renew_at = five_minutes_before > now ? std::min(at_eighty_percent, five_minutes_before)
                                       : at_eighty_percent;
}

BaseCredentials::State::Answer BaseCredentials::State::on_failure(Error error) {
  const TimePoint now = machine.clock->now();
  if (current && !current->expired(now)) {
    machine.log->warn("base-credentials-not-renewed",
                      {{"source", source}, {"reason", error.message}});
    renew_at = now + std::chrono::seconds(30);
    return current;
  }
  current = nullptr;
  return std::unexpected(std::move(error));
}

net::Task<BaseCredentials::State::Answer> BaseCredentials::State::renew() {
  Finder finder(machine, options);
  auto found = co_await finder.find();
  if (!found) co_return on_failure(std::move(found).error());
  if (found->credentials->expired(machine.clock->now())) {
    co_return on_failure(
        {ErrorCode::Unavailable, found->source + ": the credentials have expired"});
  }
  keep(std::move(*found));
  co_return current;
}

BaseCredentials::BaseCredentials(Machine machine, BaseOptions options)
    : state_(std::make_unique<State>()) {
  state_->machine = std::move(machine);
  state_->options = std::move(options);
}

BaseCredentials::~BaseCredentials() = default;

net::Task<Result<std::shared_ptr<const Credentials>>> BaseCredentials::get() {
  State& s = *state_;
  const TimePoint now = s.machine.clock->now();
  const bool valid = s.current && !s.current->expired(now);
  if (valid && now < s.renew_at) co_return s.current;
  if (s.in_flight) {
    if (valid) co_return s.current;
    const auto flight = s.in_flight;
    co_await flight->done.wait();
    co_return flight->answer;
  }
  // Whatever becomes of this task, those who wait are woken.
  struct Landing {
    State& state;
    std::shared_ptr<State::Flight> flight;
    explicit Landing(State& of)
        : state(of), flight(std::make_shared<State::Flight>(*of.machine.loop)) {
      state.in_flight = flight;
    }
    ~Landing() {
      state.in_flight = nullptr;
      flight->done.set();
    }
  };
  const Landing landing(s);
  landing.flight->answer = co_await s.renew();
  co_return landing.flight->answer;
}

void BaseCredentials::forget() {
  if (state_->in_flight) return;  // what comes back from there is as new as it can be
  state_->current = nullptr;
}

const std::string& BaseCredentials::source() const { return state_->source; }

}  // namespace remit::aws
