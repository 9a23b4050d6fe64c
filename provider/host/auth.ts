import { type AuthenticationType, type AuthHandlerMiddleware, BaseAgent, createAgent, type ParsedKey, utils } from "ssh2";
import type { NextAuthHandler } from "ssh2";
import { HostnetError } from "../model/errors";
import { fingerprint, type LoadedKey, loadKeyFile, loadKeyText } from "./keys";
import type { Target } from "./target";
