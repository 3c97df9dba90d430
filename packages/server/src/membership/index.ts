export { MEMBERSHIP_PATH } from './forward.ts';
export { MembershipService, type MembershipServiceOptions } from './membership-service.ts';
export { type MembershipCall, type MembershipRequest, type NumberedChange, parseMembershipCall } from './request.ts';
export { contextOf, hostAndPort, id64, memberId64, type NumberedMember, Roster, type RosterMember } from './roster.ts';
