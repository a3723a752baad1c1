// Accounts and tokens as the device has them (ACC-01…06).

import type { Role } from "../../../types";

export const ROLES: readonly Role[] = ["viewer", "operator", "administrator"];
export const NAME = /^[A-Za-z0-9._@-]{1,32}$/;
export const PASSWORD = /^[\x20-\x7e]{1,64}$/; // ACC-03
export const PASSWORD_MAX = 64; // characters

export interface User {
  name: string;
  role: Role;
  digest: boolean;
}

export interface Users {
  users: User[];
  max: number;
}

export const SCOPES = ["read", "commands", "settings", "system"] as const;
export type Scope = (typeof SCOPES)[number];

export interface Token {
  id: string;
  name: string;
  owner: string;
  role: Role;
  scopes: Scope[];
  created: string;
  expires: string | null;
  last_used: string | null;
}

export interface Tokens {
  tokens: Token[];
  max: number;
}

const LEAST: Record<Scope, Role> = { read: "viewer", commands: "viewer", settings: "operator", system: "administrator" };

/** Whether a token of this role may be for that. */
export const fits = (scope: Scope, role: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(LEAST[scope]);

/** The roles up to this one. */
export const upTo = (role: Role): Role[] => ROLES.slice(0, ROLES.indexOf(role) + 1);
